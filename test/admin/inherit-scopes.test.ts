import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { serveOnce } from "./support/served.ts";

const served = serveOnce();

const KEY = "KeyService/CreateKey";
const post = (method: string, request: object) => served().post(method, request);

let drawn = 0;
/** Registers an owner that no other test uses, in a tenant if one is given. Without scopes it has no list. */
async function newOwner(more: { scopes?: string[]; limitScopes?: boolean; tenant?: string } = {}): Promise<string> {
  const owner = `service/inherits-${++drawn}`;
  expect((await post("OwnerService/CreateOwner", { owner, ...more })).status).toBe(200);
  return owner;
}

/** Creates a key and returns its record. */
async function created(request: object): Promise<JsonObject> {
  const { status, answer } = await post(KEY, { name: "k", ...request });
  expect(status).toBe(200);
  return answer.key as JsonObject;
}

/** What is shown of a key's scopes. */
const shown = ({ scopes, inheritScopes }: JsonObject) => ({ scopes, inheritScopes });

const nothingToInherit = (whose: string) => ({
  status: 400,
  refused: {
    code: "failed_precondition",
    reason: "NOTHING_TO_INHERIT",
    message: `${whose} has no list of scopes to inherit; register the owner with one`,
  },
});

const violation = (field: string, description: string) => ({
  status: 400,
  refused: { code: "invalid_argument", fields: [field], descriptions: [description] },
});

const CONTRADICTS = "contradicts scopes: a key has those of its owner, or its own";

describe("a new key that inherits", () => {
  test.each<[title: string, owner: { scopes?: string[]; limitScopes?: boolean }]>([
    ["a list", { scopes: ["orders:read"] }],
    ["an empty list", { limitScopes: true }],
  ])("has no scopes of its own: its owner has %s", async (_, more) => {
    const owner = await newOwner(more);
    const key = await created({ owner, inheritScopes: true });
    expect(shown(key)).toEqual({ scopes: undefined, inheritScopes: true });
    expect((await post("KeyService/GetKey", { key: key.id })).answer.key).toEqual(key);
  });

  test("needs an owner", async () => {
    const refused = violation("inherit_scopes", "needs an owner to inherit from");
    expect(await post(KEY, { name: "k", inheritScopes: true })).toMatchObject(refused);
    expect(await post(KEY, { name: "k", inheritScopes: false })).toMatchObject({ status: 200 });
  });

  test("needs an owner that is registered", async () => {
    const request = { name: "k", owner: "service/nobody-registered", inheritScopes: true };
    expect(await post(KEY, request)).toMatchObject(nothingToInherit("service/nobody-registered"));
    expect(await post(KEY, { ...request, inheritScopes: false })).toMatchObject({ status: 200 });
  });

  test("needs an owner that has a list", async () => {
    const owner = await newOwner();
    expect(await post(KEY, { name: "k", owner, inheritScopes: true })).toMatchObject(nothingToInherit(owner));
  });

  test.each<[title: string, ownersTenant: string, keysTenant: string, whose: (owner: string) => string]>([
    ["another tenant", "acme", "umbrella", (owner) => `${owner} of the tenant umbrella`],
    ["no tenant", "", "acme", (owner) => `${owner} of the tenant acme`],
    ["a tenant, where the key has none", "acme", "", (owner) => owner],
  ])("inherits nothing from the owner of the same name in %s", async (_, ownersTenant, keysTenant, whose) => {
    const owner = await newOwner({ scopes: ["a"], tenant: ownersTenant });
    const request = { name: "k", owner, inheritScopes: true };
    expect(await post(KEY, { ...request, tenant: keysTenant })).toMatchObject(nothingToInherit(whose(owner)));
    expect(await post(KEY, { ...request, tenant: ownersTenant })).toMatchObject({ status: 200 });
  });

  test("cannot have scopes of its own as well", async () => {
    const owner = await newOwner({ scopes: ["orders:read"] });
    const request = { name: "k", owner, scopes: ["orders:read"], inheritScopes: true };
    expect(await post(KEY, request)).toMatchObject(violation("inherit_scopes", CONTRADICTS));
    expect(await post(KEY, { ...request, inheritScopes: false })).toMatchObject({ status: 200 });
  });
});

describe("an update", () => {
  const OWN = { scopes: ["a", "b"], inheritScopes: undefined };
  const INHERITED = { scopes: undefined, inheritScopes: true };

  test.each<[title: string, before: object, mask: string, request: object, after: object]>([
    [
      "to inherit empties the key's own scopes",
      { scopes: ["a", "b"] },
      "inheritScopes",
      { inheritScopes: true },
      INHERITED,
    ],
    [
      "to inherit does not look at scopes that its mask does not name",
      { scopes: ["a"] },
      "inheritScopes",
      { inheritScopes: true, scopes: ["a", "b"] },
      INHERITED,
    ],
    [
      "to inherit may name scopes to empty them",
      { scopes: ["a"] },
      "inheritScopes,scopes",
      { inheritScopes: true },
      INHERITED,
    ],
    ["of scopes ends inheriting", { inheritScopes: true }, "scopes", { scopes: ["a", "b"] }, OWN],
    [
      "of scopes ends inheriting, whatever is said where the mask does not look",
      { inheritScopes: true },
      "scopes",
      { scopes: ["a", "b"], inheritScopes: true },
      OWN,
    ],
    [
      "of both ends inheriting",
      { inheritScopes: true },
      "inheritScopes,scopes",
      { scopes: ["a", "b"], inheritScopes: false },
      OWN,
    ],
    [
      "that ends inheriting leaves no scopes",
      { inheritScopes: true },
      "inheritScopes",
      {},
      { scopes: undefined, inheritScopes: undefined },
    ],
    [
      "of something else leaves a key inheriting",
      { inheritScopes: true },
      "note",
      { note: "x", scopes: ["a"] },
      INHERITED,
    ],
    [
      "of something else leaves a key its own scopes",
      { scopes: ["a", "b"] },
      "note",
      { note: "x", inheritScopes: true },
      OWN,
    ],
  ])("%s", async (_, before, updateMask, request, after) => {
    const owner = await newOwner({ scopes: ["a"] });
    const { id } = await created({ owner, ...before });
    const { status, answer } = await post("KeyService/UpdateKey", { key: id, updateMask, ...request });
    expect([status, shown(answer.key as JsonObject)]).toEqual([200, after]);
    expect((await post("KeyService/GetKey", { key: id })).answer.key).toEqual(answer.key);
  });

  test("cannot ask for both", async () => {
    const owner = await newOwner({ scopes: ["a"] });
    const { id } = await created({ owner, scopes: ["a"] });
    const both = { key: id, updateMask: "inheritScopes,scopes", inheritScopes: true, scopes: ["a"] };
    expect(await post("KeyService/UpdateKey", both)).toMatchObject(violation("inherit_scopes", CONTRADICTS));
  });

  test("cannot make a key inherit whose owner has no list, is not registered, or is nobody", async () => {
    const [without, unregistered] = [await newOwner(), "service/nobody-registered"];
    for (const owner of [without, unregistered]) {
      const key = await created({ owner, scopes: ["a"] });
      const request = { key: key.id, updateMask: "inheritScopes", inheritScopes: true };
      expect(await post("KeyService/UpdateKey", request)).toMatchObject(nothingToInherit(owner));
      expect((await post("KeyService/GetKey", { key: key.id })).answer.key).toEqual(key);
    }
    const { id } = await created({ scopes: ["a"] });
    const request = { key: id, updateMask: "inheritScopes", inheritScopes: true };
    expect((await post("KeyService/UpdateKey", request)).refused).toMatchObject({
      code: "failed_precondition",
      reason: "NOTHING_TO_INHERIT",
      message: "the key has no owner to inherit from",
    });
  });

  test("of a key whose owner has lost its list meanwhile is made", async () => {
    const owner = await newOwner({ scopes: ["a"] });
    const { id } = await created({ owner, inheritScopes: true });
    const request = { owner, updateMask: "limitScopes", limitScopes: false };
    expect((await post("OwnerService/UpdateOwner", request)).status).toBe(200);
    const renamed = await post("KeyService/UpdateKey", { key: id, updateMask: "name", name: "renamed" });
    expect(renamed).toMatchObject({ status: 200, answer: { key: { name: "renamed", inheritScopes: true } } });
    const narrowed = await post("KeyService/UpdateKey", { key: id, updateMask: "scopes", scopes: ["a"] });
    expect(shown(narrowed.answer.key as JsonObject)).toEqual({ scopes: ["a"], inheritScopes: undefined });
  });
});

test("a successor inherits as its predecessor does", async () => {
  const owner = await newOwner({ scopes: ["a"] });
  const { id } = await created({ owner, inheritScopes: true });
  const { answer } = await post("KeyService/RotateKey", { key: id });
  expect(shown(answer.key as JsonObject)).toEqual({ scopes: undefined, inheritScopes: true });
  expect(shown(answer.rotated as JsonObject)).toEqual({ scopes: undefined, inheritScopes: true });
});
