import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { local } from "../store/support/keys.ts";
import { withStore } from "../support/direct-store.ts";
import { serveOnce } from "./support/served.ts";

const served = serveOnce();

/** An owner that no other test has. */
let count = 0;
const fresh = () => `user/u${++count}`;

const call = (method: string, request: object) => served().post(`OwnerService/${method}`, request);

/** Calls a method that must not refuse, and returns its answer. */
async function done(method: string, request: object): Promise<JsonObject> {
  const { status, answer } = await call(method, request);
  expect(status).toBe(200);
  return answer;
}

/** The same, and returns the owner in its answer. */
async function changed(method: string, request: object): Promise<JsonObject> {
  return (await done(method, request)).owner as JsonObject;
}

const created = (more: object = {}) => changed("CreateOwner", { owner: fresh(), ...more });
const get = (owner: unknown, tenant = "") => changed("GetOwner", { owner, tenant });
const refusalOf = async (method: string, request: object) => (await call(method, request)).refused;

/** Makes a key of an owner, and returns its id. */
async function keyOf(owner: unknown, more: object = {}): Promise<unknown> {
  const { answer } = await served().post("KeyService/CreateKey", { name: "k", owner, ...more });
  return (answer.key as JsonObject).id;
}

/** Who is another owner, by one character or by the tenant. */
const NEIGHBOURS: readonly (readonly [title: string, of: (owner: string) => object])[] = [
  ["in another tenant", (owner) => ({ owner, tenant: "acm" })],
  ["without a tenant", (owner) => ({ owner })],
  ["with one character more", (owner) => ({ owner: `${owner}x`, tenant: "acme" })],
  ["in another case", (owner) => ({ owner: owner.replace("user/u", "user/U"), tenant: "acme" })],
  ["of another kind", (owner) => ({ owner: owner.replace("user/", "service/"), tenant: "acme" })],
];

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/);

describe("CreateOwner", () => {
  test("registers an owner with nothing but its name", async () => {
    const owner = fresh();
    const answer = await done("CreateOwner", { owner });
    expect(answer).toEqual({
      owner: {
        owner,
        createdAt: TIME,
        createdBy: "local",
        updatedAt: TIME,
        revision: expect.any(String),
        etag: expect.any(String),
      },
      enforced: true,
    });
    expect(await get(owner)).toEqual(answer.owner);
  });

  test("registers an owner with all there is, no scope twice", async () => {
    const request = { owner: fresh(), tenant: "acme", displayName: "Alice 🔑" };
    const owner = await changed("CreateOwner", { ...request, scopes: ["b:*", "a", "b:*"] });
    expect(owner).toMatchObject({ ...request, scopes: ["b:*", "a"], limitScopes: true });
    expect(await get(owner.owner, "acme")).toEqual(owner);
  });

  test.each<[title: string, request: object, list: object]>([
    ["nothing said: no list", {}, {}],
    ["scopes: a list", { scopes: ["a"] }, { scopes: ["a"], limitScopes: true }],
    ["limit_scopes alone: an empty list", { limitScopes: true }, { limitScopes: true }],
    ["scopes and limit_scopes: a list", { scopes: ["a"], limitScopes: true }, { scopes: ["a"], limitScopes: true }],
    ["limit_scopes false: no list", { limitScopes: false }, {}],
  ])("%s", async (_, request, list) => {
    const { scopes, limitScopes } = await created(request);
    expect({ scopes, limitScopes }).toEqual({ scopes: undefined, limitScopes: undefined, ...list });
  });

  test("counts the keys that are there already", async () => {
    const owner = fresh();
    await keyOf(owner);
    await keyOf(owner, { tenant: "acme" });
    expect(await changed("CreateOwner", { owner })).toMatchObject({ keyCount: "1" });
  });

  test("of an owner that is registered is refused, and leaves it as it was", async () => {
    const before = await created({ tenant: "acme", scopes: ["a"] });
    expect(await refusalOf("CreateOwner", { owner: before.owner, tenant: "acme" })).toMatchObject({
      code: "already_exists",
      reason: "OWNER_EXISTS",
      message: `the owner ${before.owner} of the tenant acme is registered already`,
    });
    expect(await get(before.owner, "acme")).toEqual(before);
  });

  test.each(NEIGHBOURS)("of one %s is another owner", async (_, of) => {
    const before = await created({ tenant: "acme" });
    const other = of(String(before.owner));
    expect(await changed("CreateOwner", other)).toMatchObject(other);
    expect(await get(before.owner, "acme")).toEqual(before);
  });
});

describe("GetOwner", () => {
  test.each(NEIGHBOURS)("of one %s finds none", async (_, of) => {
    const { owner } = await created({ tenant: "acme" });
    const refusal = { code: "not_found", reason: "OWNER_NOT_FOUND" };
    expect(await refusalOf("GetOwner", of(String(owner)))).toMatchObject(refusal);
  });

  test("counts the keys that are not revoked", async () => {
    const { owner } = await created();
    const ids = [await keyOf(owner), await keyOf(owner), await keyOf(owner)];
    await served().post("KeyService/RevokeKey", { key: ids[0] });
    await served().post("KeyService/DisableKey", { key: ids[1] });
    expect(await get(owner)).toMatchObject({ keyCount: "2" });
  });
});

describe("UpdateOwner", () => {
  const BEFORE = { displayName: "old", scopes: ["a", "b"] };

  test.each<[mask: string, request: object, after: object]>([
    ["displayName", { displayName: "new" }, { displayName: "new" }],
    ["displayName", {}, { displayName: undefined }],
    ["scopes", { scopes: ["c", "c"] }, { scopes: ["c"] }],
    ["scopes", {}, { scopes: undefined, limitScopes: true }],
    ["scopes,limitScopes", { scopes: ["c"], limitScopes: true }, { scopes: ["c"] }],
    ["scopes,limitScopes", { limitScopes: true }, { scopes: undefined, limitScopes: true }],
    ["scopes,limitScopes", {}, { scopes: undefined, limitScopes: undefined }],
    ["limitScopes", {}, { scopes: undefined, limitScopes: undefined }],
    ["limitScopes", { limitScopes: true }, {}],
    ["disabled", { disabled: true }, { disabled: true, disabledAt: TIME }],
    ["disabled", { disabled: false }, {}],
    [
      "disabled,displayName",
      { disabled: true, displayName: "x" },
      { disabled: true, disabledAt: TIME, displayName: "x" },
    ],
  ])("with the mask %j and %j sets %j, and nothing else", async (updateMask, request, after) => {
    const { revision: _, etag: __, updatedAt: ___, ...before } = await created(BEFORE);
    const all = { displayName: "ignored", scopes: ["ignored"], limitScopes: false, disabled: true };
    const unmasked = Object.fromEntries(
      Object.entries(all).filter(([field]) => !updateMask.split(",").includes(field)),
    );
    const updated = await changed("UpdateOwner", { owner: before.owner, updateMask, ...unmasked, ...request });
    const changing = { revision: expect.any(String), etag: expect.any(String), updatedAt: TIME };
    expect(updated).toEqual({ ...before, ...after, ...changing });
    expect(await get(before.owner)).toEqual(updated);
  });

  test.each<[title: string, mask: string, request: object, list: object]>([
    ["naming scopes", "scopes", { scopes: ["a"] }, { scopes: ["a"], limitScopes: true }],
    ["naming no scopes", "scopes", {}, { limitScopes: true }],
    ["limiting to nothing", "limitScopes", { limitScopes: true }, { limitScopes: true }],
    ["naming something else", "displayName", { displayName: "x" }, {}],
  ])("of an owner without a list, %s, leads to %j", async (_, updateMask, request, list) => {
    const { owner } = await created();
    const { scopes, limitScopes } = await changed("UpdateOwner", { owner, updateMask, ...request });
    expect({ scopes, limitScopes }).toEqual({ scopes: undefined, limitScopes: undefined, ...list });
  });

  test("enables again what was disabled, and keeps the list meanwhile", async () => {
    const { owner } = await created({ scopes: ["a"] });
    const disabled = await changed("UpdateOwner", { owner, updateMask: "disabled", disabled: true });
    expect(disabled).toMatchObject({ disabled: true, disabledAt: TIME, scopes: ["a"] });
    const enabled = await changed("UpdateOwner", { owner, updateMask: "disabled" });
    expect(enabled).toMatchObject({ scopes: ["a"], limitScopes: true });
    expect([enabled.disabled, enabled.disabledAt]).toEqual([undefined, undefined]);
  });

  test("is made for the etag that was read, and for no other", async () => {
    const { owner, etag } = await created();
    const first = await changed("UpdateOwner", { owner, etag, updateMask: "displayName", displayName: "first" });
    expect(first.etag).not.toBe(etag);
    const refused = await refusalOf("UpdateOwner", { owner, etag, updateMask: "disabled", disabled: true });
    expect(refused).toMatchObject({
      code: "aborted",
      reason: "STALE_ETAG",
      message: `the owner has changed since; its etag is ${first.etag}`,
      metadata: { etag: first.etag },
    });
    expect(await get(owner)).toEqual(first);
    const third = await changed("UpdateOwner", { owner, etag: first.etag, updateMask: "disabled", disabled: true });
    expect(third).toMatchObject({ displayName: "first", disabled: true });
  });

  test.each(["0", "-1", "x", "1 ", "999999999"])("an etag that was never given is stale: %j", async (etag) => {
    const { owner } = await created();
    for (const method of ["UpdateOwner", "DeleteOwner"]) {
      const request = { owner, etag, ...(method === "UpdateOwner" && { updateMask: "disabled" }) };
      expect(await refusalOf(method, request)).toMatchObject({ code: "aborted", reason: "STALE_ETAG" });
    }
    expect(await get(owner)).toMatchObject({ owner });
  });

  test("of one that another program has changed meanwhile tells the present etag", async () => {
    const { owner, etag } = await created();
    withStore(served().keyward, (store) => {
      const fields = { displayName: "faster", scopes: undefined, disabled: false };
      store.updateOwner({ tenant: undefined, name: String(owner) }, fields, local, 1, Number(etag));
    });
    const { etag: present } = await get(owner);
    const refused = await refusalOf("UpdateOwner", { owner, etag, updateMask: "disabled", disabled: true });
    expect(refused).toMatchObject({ code: "aborted", reason: "STALE_ETAG", metadata: { etag: present } });
  });

  test("an etag changes with the owner, and not with its keys", async () => {
    const { owner, etag } = await created();
    await keyOf(owner);
    expect(await get(owner)).toMatchObject({ etag, keyCount: "1" });
  });
});

describe("DeleteOwner", () => {
  test("forgets an owner, revokes its keys and says how many", async () => {
    const { owner } = await created({ tenant: "acme" });
    const ids = [await keyOf(owner, { tenant: "acme" }), await keyOf(owner, { tenant: "acme" })];
    const other = await keyOf(owner);
    expect(await done("DeleteOwner", { owner, tenant: "acme" })).toEqual({ revokedKeys: "2", enforced: true });
    expect(await refusalOf("GetOwner", { owner, tenant: "acme" })).toMatchObject({ reason: "OWNER_NOT_FOUND" });
    const states = await Promise.all(
      [...ids, other].map(async (key) => (await served().post("KeyService/GetKey", { key })).answer.key),
    );
    const revoked = { state: "KEY_STATE_REVOKED", revokedBy: "local", revokeReason: `the owner ${owner} was deleted` };
    expect(states).toMatchObject([revoked, revoked, { state: "KEY_STATE_ACTIVE" }]);
  });

  test("is made for the etag that was read, and for no other", async () => {
    const { owner, etag } = await created();
    const key = await keyOf(owner);
    const { etag: present } = await changed("UpdateOwner", { owner, updateMask: "displayName", displayName: "x" });
    const stale = { code: "aborted", reason: "STALE_ETAG", metadata: { etag: present } };
    expect(await refusalOf("DeleteOwner", { owner, etag })).toMatchObject(stale);
    expect((await served().post("KeyService/GetKey", { key })).answer.key).toMatchObject({ state: "KEY_STATE_ACTIVE" });
    expect(await done("DeleteOwner", { owner, etag: present })).toEqual({ revokedKeys: "1", enforced: true });
  });

  test("a second time finds none", async () => {
    const { owner } = await created();
    await done("DeleteOwner", { owner });
    expect(await refusalOf("DeleteOwner", { owner })).toMatchObject({ code: "not_found", reason: "OWNER_NOT_FOUND" });
  });

  test("lets the name be registered again, as a new record", async () => {
    const before = await created({ scopes: ["a"], displayName: "before" });
    await done("DeleteOwner", { owner: before.owner });
    const after = await changed("CreateOwner", { owner: before.owner });
    expect([after.displayName, after.scopes, after.limitScopes]).toEqual([undefined, undefined, undefined]);
    expect(after.etag).not.toBe(before.etag);
  });
});

describe.each<[method: string, more: object]>([
  ["GetOwner", {}],
  ["UpdateOwner", { updateMask: "disabled" }],
  ["DeleteOwner", {}],
])("%s of an owner that is not registered", (method, more) => {
  test.each([
    [undefined, "the owner user/nobody is not registered"],
    ["acme", "the owner user/nobody of the tenant acme is not registered"],
  ])("in the tenant %s finds none", async (tenant, message) => {
    const request = { owner: "user/nobody", ...(tenant === undefined ? {} : { tenant }), ...more };
    const refusal = { code: "not_found", reason: "OWNER_NOT_FOUND", message };
    expect(await refusalOf(method, request)).toMatchObject(refusal);
  });
});

test.each<[method: string, more: object]>([
  ["CreateOwner", {}],
  ["UpdateOwner", { updateMask: "disabled", disabled: true }],
  ["DeleteOwner", {}],
])("%s is answered once the check threads obey", async (method, more) => {
  const owner = method === "CreateOwner" ? fresh() : (await created()).owner;
  expect(await done(method, { owner, ...more })).toMatchObject({ enforced: true });
});
