import { randomBytes } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import type { Key } from "../../src/gen/keyward/admin/v1/key_pb.ts";
import { KeyService } from "../../src/gen/keyward/admin/v1/key_service_pb.ts";
import { local, sampleKey } from "../store/support/keys.ts";
import { withStore } from "../support/direct-store.ts";
import { serveOnce } from "./support/served.ts";

const served = serveOnce();
const { listKeys, createKey } = KeyService.method;

describe("a filter", () => {
  beforeAll(() => {
    withStore(served().keyward, (store) => {
      store.createKey(sampleKey("a", { owner: "service/ci", tenant: "acme" }), local, 1);
      store.createKey(sampleKey("b", { owner: "service/ci" }), local, 1);
      store.revokeKey("key_b", "", local, 2);
      store.createKey(sampleKey("c", { owner: "user/alice", tenant: "acme", expiresAtMs: 2 }), local, 1);
    });
  });

  test.each([
    ["", ["a", "b", "c"]],
    ["   ", ["a", "b", "c"]],
    ['owner = "service/ci"', ["a", "b"]],
    ['owner = "service/c"', []],
    ['owner = "Service/ci"', []],
    ["owner=service/ci", ["a", "b"]],
    ["tenant = acme", ["a", "c"]],
    ["tenant = acm", []],
    ["state = ACTIVE", ["a"]],
    ["state = active", ["a"]],
    ['state = "EXPIRED"', ["c"]],
    ["state = REVOKED", ["b"]],
    ['owner = "service/ci" AND state = ACTIVE', ["a"]],
    ["  state=REVOKED\tAND  owner=service/ci ", ["b"]],
    ["tenant = acme AND owner = user/alice AND state = EXPIRED", ["c"]],
    ["tenant = acme AND owner = user/alice AND state = ACTIVE", []],
  ])("%j lists %j", async (filter, names) => {
    const { keys } = await served().local.call(listKeys, { filter });
    expect(keys.map(({ name }) => name)).toEqual(names);
  });

  test.each([
    ["name = a", 'names "name"; it can compare owner, tenant, state and unused_for'],
    ["STATE = ACTIVE", 'names "STATE"; it can compare owner, tenant, state and unused_for'],
    ["unused_for = ever", 'compares unused_for with "ever"; it can be a time such as 90d, 12h or 600s'],
    ["unused_for = -1d", 'compares unused_for with "-1d"; it can be a time such as 90d, 12h or 600s'],
    ["unused_for = 1d AND unused_for = 2d", "compares unused_for twice"],
    ["state = OFF", 'compares state with "OFF"; it can be ACTIVE, DISABLED, EXPIRED, REVOKED, ROTATED'],
    ['state = ""', 'compares state with ""; it can be ACTIVE, DISABLED, EXPIRED, REVOKED, ROTATED'],
    ["owner = a AND owner = b", "compares owner twice"],
    ["state = ACTIVE AND state = ACTIVE", "compares state twice"],
  ])("%j is refused: it %s", async (filter, description) => {
    await expect(served().local.call(listKeys, { filter })).rejects.toMatchObject({
      code: "invalid_argument",
      fields: ["filter"],
      descriptions: [description],
    });
  });

  test.each([
    ["a field alone", "owner"],
    ["a field without its value", "owner ="],
    ["a value alone", '"service/ci"'],
    ["another comparison", "owner != a"],
    ["OR", "owner = a OR state = ACTIVE"],
    ["AND in lower case", "owner = a and state = ACTIVE"],
    ["AND at the end", "state = ACTIVE AND"],
    ["AND at the end, with a space", "state = ACTIVE AND "],
    ["AND at the beginning", "AND state = ACTIVE"],
    ["AND glued to the value before it", "owner = aAND state = ACTIVE"],
    ["AND glued to the quotation mark before it", 'owner = "a"AND state = ACTIVE'],
    ["AND glued to the field after it", "owner = a ANDstate = ACTIVE"],
    ["no AND", "owner = a state = ACTIVE"],
    ["a quotation mark that is not closed", 'owner = "a'],
    ["a quotation mark inside quotation marks", 'owner = "a" OR "a"'],
    ["single quotation marks", "owner = 'a'"],
    ["a space in a bare value", "owner = a b"],
    ["parentheses", "(owner = a)"],
    ["NOT", "NOT owner = a"],
  ])("what cannot be read is refused: %s", async (_, filter) => {
    await expect(served().local.call(listKeys, { filter })).rejects.toMatchObject({
      code: "invalid_argument",
      fields: ["filter"],
      descriptions: [expect.stringMatching(/^cannot be read at "/)],
    });
  });
});

describe("pages", () => {
  /** One more than the largest page, so that it shows. */
  const COUNT = 1_001;
  const owner = "service/many";
  const filter = `owner = ${owner}`;
  const ids = Array.from({ length: COUNT }, (_, index) => `key_page${String(index).padStart(4, "0")}`);

  beforeAll(() => {
    withStore(served().keyward, (store) => {
      for (const id of ids) store.createKey(sampleKey(id, { id, owner }), local, 1);
    });
  });

  test.each([
    [0, 50],
    [1, 1],
    [50, 50],
    [51, 51],
    [1_000, 1_000],
    [1_001, 1_000],
    [2_147_483_647, 1_000],
  ])("a page_size of %i gives %i keys", async (pageSize, count) => {
    const { keys, nextPageToken } = await served().local.call(listKeys, { filter, pageSize });
    expect(keys.map(({ id }) => id)).toEqual(ids.slice(0, count));
    expect(nextPageToken).not.toBe("");
  });

  test.each([-1, -2_147_483_648])("a page_size of %i is refused by its field", async (pageSize) => {
    await expect(served().local.call(listKeys, { pageSize })).rejects.toMatchObject({
      code: "invalid_argument",
      fields: ["page_size"],
      descriptions: [`${pageSize} must be >= 0`],
    });
  });

  test("one page after another gives every key once, in the order in which they were made", async () => {
    const found: Key[] = [];
    let pageToken = "";
    do {
      const page = await served().local.call(listKeys, { filter, pageSize: 400, pageToken });
      found.push(...page.keys);
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect(found.map(({ id }) => id)).toEqual(ids);
  });

  test("a page that ends with the last key has no next one", async () => {
    const last = await served().local.call(createKey, { name: "x", owner: "user/alone" });
    const page = await served().local.call(listKeys, { filter: "owner = user/alone", pageSize: 1 });
    expect(page).toMatchObject({ keys: [{ id: last.key?.id }], nextPageToken: "" });
  });

  test("a page begins after its token whatever its size, and whatever the spelling of the filter", async () => {
    const { nextPageToken } = await served().local.call(listKeys, { filter, pageSize: 2 });
    const page = { filter: `  owner="${owner}" `, pageSize: 1, pageToken: nextPageToken };
    const { keys } = await served().local.call(listKeys, page);
    expect(keys.map(({ id }) => id)).toEqual([ids[2]]);
  });

  test.each<[title: string, spoil: (token: string) => string, filter: string]>([
    ["of another filter", (token) => token, "owner = service/man"],
    ["of a list with a filter, for the whole list", (token) => token, ""],
    ["with its first character changed", (token) => (token.startsWith("A") ? "B" : "A") + token.slice(1), filter],
    ["with its last character changed", (token) => token.slice(0, -1) + (token.endsWith("A") ? "Q" : "A"), filter],
    ["cut by a character", (token) => token.slice(0, -1), filter],
    ["with a character more", (token) => `${token}A`, filter],
    ["with padding", (token) => `${token}=`, filter],
    ["made up", () => randomBytes(40).toString("base64url"), filter],
    ["that is no base64", () => "next page, please", filter],
    ["that is the id of a key", () => ids[0] ?? "", filter],
  ])("a token %s is refused by its field", async (_, spoil, otherFilter) => {
    const { nextPageToken } = await served().local.call(listKeys, { filter, pageSize: 2 });
    const request = { filter: otherFilter, pageToken: spoil(nextPageToken) };
    await expect(served().local.call(listKeys, request)).rejects.toMatchObject({
      code: "invalid_argument",
      fields: ["page_token"],
      descriptions: ["is not of this list: take next_page_token of its last page"],
    });
  });
});

describe("two databases", () => {
  const other = serveOnce();

  test("a token of another database is refused, of the same one it is not", async () => {
    const [one, two] = [served().local, other().local];
    for (const name of ["first", "second"]) await two.call(createKey, { name });
    const { nextPageToken: pageToken } = await two.call(listKeys, { pageSize: 1 });
    await expect(two.call(listKeys, { pageToken })).resolves.toMatchObject({ keys: [{ name: "second" }] });
    await expect(one.call(listKeys, { pageToken })).rejects.toMatchObject({
      code: "invalid_argument",
      fields: ["page_token"],
    });
  });
});
