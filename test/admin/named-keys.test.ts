import { beforeAll, describe, expect, test } from "vitest";
import { AdminKeyService } from "../../src/gen/keyward/admin/v1/admin_key_service_pb.ts";
import { KeyService } from "../../src/gen/keyward/admin/v1/key_service_pb.ts";
import { local, sampleKey } from "../store/support/keys.ts";
import { withStore } from "../support/direct-store.ts";
import { serveOnce } from "./support/served.ts";

const served = serveOnce();
const { createKey, getKey, revokeKey } = KeyService.method;
const { createAdminKey, revokeAdminKey } = AdminKeyService.method;

const NOT_FOUND = { code: "not_found", reason: "KEY_NOT_FOUND", message: "no key answers to that name" };

/** What a key is known by. */
interface Names {
  id: string;
  start: string;
  secret: string;
}

/** The text with its last character changed for another of the same alphabet. */
function mistyped(text: string): string {
  return text.slice(0, -1) + (text.endsWith("0") ? "1" : "0");
}

const NAMES: readonly [title: string, name: (names: Names) => string][] = [
  ["id", ({ id }) => id],
  ["start", ({ start }) => start],
  ["first eight characters", ({ start }) => start.slice(start.indexOf("_") + 1)],
  ["secret", ({ secret }) => secret],
];

let names: Names;
let adminNames: Names;

beforeAll(async () => {
  const key = await served().local.call(createKey, { name: "one" });
  names = { id: "", start: "", ...key.key, secret: key.secret };
  const adminKey = await served().local.call(createAdminKey, { name: "one" });
  adminNames = { id: "", start: "", ...adminKey.key, secret: adminKey.secret };
});

describe("a key", () => {
  test.each(NAMES)("answers to its %s", async (_, nameOf) => {
    const { key } = await served().local.call(getKey, { key: nameOf(names) });
    expect(key?.id).toBe(names.id);
  });

  test.each(NAMES)("does not answer to its %s with another last character", async (_, nameOf) => {
    await expect(served().local.call(getKey, { key: mistyped(nameOf(names)) })).rejects.toMatchObject(NOT_FOUND);
  });

  test.each<[title: string, name: () => string]>([
    ["seven characters", () => names.start.slice(3, -1)],
    ["nine characters", () => names.secret.slice(3, 12)],
    ["its start without the underscore", () => names.start.replace("_", "")],
    ["its name", () => "one"],
    ["a wildcard", () => "%"],
    ["its id in another case", () => names.id.toUpperCase()],
    ["its secret with a space after it", () => `${names.secret} `],
    ["the prefix", () => "kw_"],
  ])("does not answer to %s", async (_, name) => {
    await expect(served().local.call(getKey, { key: name() })).rejects.toMatchObject(NOT_FOUND);
  });

  test.each(NAMES)("answers to no admin key's %s", async (_, nameOf) => {
    await expect(served().local.call(getKey, { key: nameOf(adminNames) })).rejects.toMatchObject(NOT_FOUND);
    await expect(served().local.call(revokeKey, { key: nameOf(adminNames) })).rejects.toMatchObject(NOT_FOUND);
  });

  test.each(NAMES)("can be revoked by its %s", async (_, nameOf) => {
    const created = await served().local.call(createKey, { name: "brief" });
    const key = nameOf({ id: "", start: "", ...created.key, secret: created.secret });
    const revoked = await served().local.call(revokeKey, { key });
    expect(revoked.key).toMatchObject({ id: created.key?.id, revokedBy: "local" });
  });
});

describe("an admin key", () => {
  test.each(NAMES)("answers to no other key's %s", async (_, nameOf) => {
    await expect(served().local.call(revokeAdminKey, { key: nameOf(names) })).rejects.toMatchObject(NOT_FOUND);
  });

  test.each(NAMES)("can be revoked by its %s, and not by one with another last character", async (_, nameOf) => {
    const created = await served().local.call(createAdminKey, { name: "brief" });
    const key = nameOf({ id: "", start: "", ...created.key, secret: created.secret });
    await expect(served().local.call(revokeAdminKey, { key: mistyped(key) })).rejects.toMatchObject(NOT_FOUND);
    const revoked = await served().local.call(revokeAdminKey, { key });
    expect(revoked.key?.id).toBe(created.key?.id);
  });
});

describe("a start that several keys share", () => {
  /** Puts keys of one start into the database: the API draws secrets, so it would take years to make two. */
  function collide(count: number, startOf: (index: number) => string): string[] {
    const ids = Array.from({ length: count }, (_, index) => `key_${startOf(0).slice(3)}${index + 10}`);
    withStore(served().keyward, (store) => {
      for (const [index, id] of ids.entries()) {
        store.createKey(sampleKey(id, { id, name: `name ${index}`, start: startOf(index) }), local, 1);
      }
    });
    return ids;
  }

  test.each([
    ["the start", "kw_Aaaaaaaa"],
    ["the eight characters", "Bbbbbbbb"],
  ])("is refused with the candidates, named by %s", async (_, name) => {
    const start = `kw_${name.slice(-8)}`;
    const [first = "", second = ""] = collide(2, () => start);
    await expect(served().local.call(getKey, { key: name })).rejects.toMatchObject({
      code: "failed_precondition",
      reason: "KEY_NAME_AMBIGUOUS",
      message: `several keys answer to that name; give the id of one: ${first} (${start}, name 0), ${second} (${start}, name 1)`,
      metadata: { [first]: start, [second]: start },
    });
    await expect(served().local.call(getKey, { key: first })).resolves.toMatchObject({ key: { id: first } });
  });

  test("revokes none of them", async () => {
    const ids = collide(2, () => "kw_Cccccccc");
    const refusal = { code: "failed_precondition", reason: "KEY_NAME_AMBIGUOUS" };
    await expect(served().local.call(revokeKey, { key: "kw_Cccccccc" })).rejects.toMatchObject(refusal);
    for (const id of ids) {
      const { key } = await served().local.call(getKey, { key: id });
      expect(key?.revokedAt).toBe(undefined);
    }
  });

  test("lists ten candidates and says that there are more", async () => {
    const ids = collide(11, () => "kw_Dddddddd");
    const candidates = ids.slice(0, 10).map((id, index) => `${id} (kw_Dddddddd, name ${index})`);
    await expect(served().local.call(getKey, { key: "Dddddddd" })).rejects.toMatchObject({
      message: `several keys answer to that name; give the id of one: ${candidates.join(", ")}, and more`,
      metadata: Object.fromEntries(ids.slice(0, 10).map((id) => [id, "kw_Dddddddd"])),
    });
  });

  test("is not shared by a key of another prefix, while the eight characters are", async () => {
    const [first = "", second = ""] = collide(2, (index) => (index === 0 ? "kw_Eeeeeeee" : "acme_live_Eeeeeeee"));
    await expect(served().local.call(getKey, { key: "kw_Eeeeeeee" })).resolves.toMatchObject({ key: { id: first } });
    const other = await served().local.call(getKey, { key: "acme_live_Eeeeeeee" });
    expect(other.key?.id).toBe(second);
    await expect(served().local.call(getKey, { key: "Eeeeeeee" })).rejects.toMatchObject({
      reason: "KEY_NAME_AMBIGUOUS",
    });
  });
});
