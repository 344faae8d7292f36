import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import type { NewKey } from "../../src/store/keys.ts";
import { local, sampleKey } from "../store/support/keys.ts";
import { withStore } from "../support/direct-store.ts";
import { serveOnce } from "./support/served.ts";

const served = serveOnce({ config: "key_lifetime: { max: 90d }\n" });

const DAY_MS = 86_400_000;
const MAX_MS = 90 * DAY_MS;

/** A key from a time in which there was no longest life. */
function older(name: string, more: Partial<NewKey>): string {
  const key = sampleKey(name, more);
  withStore(served().keyward, (store) => store.createKey(key, local, 1));
  return key.id;
}

async function rotate(key: string, more: object = {}) {
  const { status, answer, refused } = await served().post("KeyService/RotateKey", { key, ...more });
  return { status, refused, key: answer.key as JsonObject, rotated: answer.rotated as JsonObject };
}

const lifeOf = ({ createdAt, expiresAt }: JsonObject) => Date.parse(String(expiresAt)) - Date.parse(String(createdAt));

describe("the successor lives no longer than key_lifetime.max", () => {
  test.each<[title: string, leftMs: number | undefined]>([
    ["is endless", undefined],
    ["lives a year more", 365 * DAY_MS],
    ["lives a minute more than is allowed", MAX_MS + 60_000],
  ])("where the old key %s, which keeps its own end", async (title, leftMs) => {
    const expiresAtMs = leftMs === undefined ? undefined : Date.now() + leftMs;
    const id = older(title, { expiresAtMs });
    const { key, rotated } = await rotate(id);
    expect(lifeOf(key)).toBe(MAX_MS);
    expect(rotated.expiresAt && Date.parse(String(rotated.expiresAt))).toBe(expiresAtMs);
  });

  test.each<[title: string, leftMs: number]>([
    ["a minute less than is allowed", MAX_MS - 60_000],
    ["ten minutes more", 600_000],
  ])("and no longer than the old key, where that lives %s", async (title, leftMs) => {
    const expiresAtMs = Date.now() + leftMs;
    const { key } = await rotate(older(title, { expiresAtMs }));
    expect(Date.parse(String(key.expiresAt))).toBe(expiresAtMs);
  });

  test("as validate_only says before", async () => {
    const { key } = await rotate(older("validated", {}), { validateOnly: true });
    expect(lifeOf(key)).toBe(MAX_MS);
  });

  test("and what is asked for beyond it is refused, of an endless key too", async () => {
    const id = older("asked for more", {});
    const refused = { code: "invalid_argument", descriptions: ["must end within 90d (key_lifetime.max)"] };
    expect(await rotate(id, { neverExpires: true })).toMatchObject({ refused });
    expect(await rotate(id, { expiresIn: `${90 * 86_400 + 1}s` })).toMatchObject({ refused });
    expect(lifeOf((await rotate(id, { expiresIn: `${90 * 86_400}s` })).key)).toBe(MAX_MS);
  });

  test("so a key that begins after that cannot be rotated", async () => {
    const id = older("begins late", { notBeforeMs: Date.now() + MAX_MS + 60_000 });
    expect(await rotate(id)).toMatchObject({
      refused: {
        code: "failed_precondition",
        reason: "KEY_STATE",
        message: "the successor would end before the not_before of the key",
      },
    });
    const soon = older("begins soon", { notBeforeMs: Date.now() + MAX_MS - 60_000 });
    expect((await rotate(soon)).status).toBe(200);
  });
});

test("a successor is all that the key was, and the old key stays what it is", async () => {
  await served().post("OwnerService/CreateOwner", { owner: "service/ci", tenant: "acme", scopes: ["a"] });
  const what = {
    name: "n",
    tenant: "acme",
    owner: "service/ci",
    note: "two\nlines",
    metadata: { team: "payments", "cost/center": "" },
    inheritScopes: true,
    paths: ["/v1", "=/v2"],
    methods: ["GET"],
    cidrs: ["10.0.0.0/8"],
    notBefore: "2020-01-01T00:00:00Z",
    rateLimit: { requests: 5, window: "60s" },
    format: "KEY_FORMAT_OPAQUE",
  };
  const { answer } = await served().post("KeyService/CreateKey", { ...what, expiresIn: "600s", prefix: "acme_live" });
  const old = answer.key as JsonObject;
  const { id, start, createdAt, updatedAt, revision, etag, predecessor, ...kept } = (await rotate(String(old.id))).key;
  expect(kept).toEqual({ ...what, expiresAt: old.expiresAt, createdBy: "local", state: "KEY_STATE_ACTIVE" });
  expect([predecessor, id === old.id]).toEqual([old.id, false]);
  const after = (await served().post("KeyService/GetKey", { key: old.id })).answer.key;
  expect(after).toMatchObject({ ...what, id: old.id, expiresAt: old.expiresAt, successor: id });
});
