import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { METHOD_ACCESS } from "../../src/admin/admin-scope.ts";
import { MAX_OWN_LIVE_KEYS } from "../../src/admin/keys/live-keys.ts";
import { sampleKey, local as storeActor } from "../store/support/keys.ts";
import { withStore } from "../support/direct-store.ts";
import { type Keyward, startKeyward } from "../support/keyward.ts";
import { sendHttp1 } from "./support/http.ts";
import { AUDIENCE, type Issuer, startIssuer } from "./support/issuer.ts";
import { refusedOfJson } from "./support/refused.ts";

let issuer: Issuer;
let keyward: Keyward;
beforeAll(async () => {
  issuer = await startIssuer();
  keyward = await startKeyward({
    config: `
oidc: { issuer: "${issuer.url}", audience: ${AUDIENCE} }
tenants:
  acme: { grantable_scopes: [orders:read, orders:write] }
admin_identities:
  - { claims: { groups: granted }, scopes: [keys:read, keys:write], owner: "user/{sub}", grantable_scopes: ["api:*"] }
  - { claims: { groups: people }, scopes: [keys:read, keys:write], owner: "user/{sub}" }
  - { claims: { groups: readers }, scopes: [keys:read], owner: "user/{sub}" }
  - { claims: { groups: acme }, scopes: [keys:read, keys:write], tenant: acme, owner: "user/{sub}" }
`,
  });
});
afterAll(async () => {
  await keyward.stop();
  await issuer.stop();
});

type Answer = { status: number; reason?: string | undefined; message?: string; answer: Record<string, unknown> };

async function ask(target: string, authorization: string | undefined, method: string, body: object): Promise<Answer> {
  const answer = await sendHttp1(target, {
    path: `/keyward.admin.v1.${method}`,
    headers: { "content-type": "application/json", ...(authorization && { authorization }) },
    body: JSON.stringify(body),
  });
  if (answer.status === 200) return { status: 200, answer: JSON.parse(answer.body) };
  const { reason, message } = refusedOfJson(answer.body);
  return { status: answer.status, reason, message, answer: {} };
}

const local = (method: string, body: object) => ask(`unix:${keyward.adminSocket}`, undefined, method, body);

/** A person with a token of a group. */
async function person(sub: string, group = "people") {
  const token = await issuer.token({ sub, groups: [group] });
  return (method: string, body: object = {}) => ask(keyward.admin, `Bearer ${token}`, method, body);
}

async function keyOf(fields: object): Promise<string> {
  const { answer } = await local("KeyService/CreateKey", { name: "k", ...fields });
  return (answer.key as { id: string }).id;
}

let count = 0;
let alice: string;
beforeEach(async () => {
  alice = `alice${count++}`;
  await local("OwnerService/CreateOwner", { owner: `user/${alice}`, scopes: ["api:read"] });
});

describe("somebody who manages their own keys", () => {
  test("makes keys that are theirs, with what they have", async () => {
    const call = await person(alice);
    const made = await call("KeyService/CreateKey", { name: "laptop", scopes: ["api:read"] });
    expect(made.answer.key).toMatchObject({ owner: `user/${alice}`, scopes: ["api:read"], createdBy: `oidc:${alice}` });
    const named = await call("KeyService/CreateKey", { name: "x", owner: `user/${alice}`, inheritScopes: true });
    expect(named.status).toBe(200);
    const implied = await call("KeyService/CreateKey", { name: "x", inheritScopes: true });
    expect(implied.answer.key).toMatchObject({ owner: `user/${alice}`, inheritScopes: true });
  });

  test.each<[title: string, body: object, refused: object]>([
    ["with a scope more", { scopes: ["api:read", "api:write"] }, { reason: "BEYOND_GRANTABLE" }],
    ["with every scope", { scopes: ["*"] }, { reason: "BEYOND_GRANTABLE" }],
    ["with a wildcard over what they have", { scopes: ["api:*"] }, { reason: "BEYOND_GRANTABLE" }],
    ["for somebody else", { owner: "user/bob" }, { reason: "OTHER_OWNER" }],
    ["for the same name of another kind", { owner: "service/alice" }, { reason: "OTHER_OWNER" }],
    ["in a tenant", { tenant: "acme" }, { reason: "OTHER_TENANT" }],
  ])("makes none %s", async (_, body, refused) => {
    const call = await person(alice);
    expect(await call("KeyService/CreateKey", { name: "x", ...body })).toMatchObject({ status: 403, ...refused });
  });

  test("grants nothing where nobody has said what, and otherwise only what every list has", async () => {
    const [stranger, granted] = [await person("nobody-knows"), await person("nobody-knows", "granted")];
    const create = (scopes: string[]) => ["KeyService/CreateKey", { name: "x", scopes }] as const;
    expect(await stranger(...create([]))).toMatchObject({ status: 200 });
    expect(await stranger(...create(["api:read"]))).toMatchObject({ status: 403 });
    expect(await granted(...create(["api:write"]))).toMatchObject({ status: 200 });
    expect(await granted(...create(["admin:write"]))).toMatchObject({ status: 403 });
    const both = await person(alice, "granted");
    expect(await both(...create(["api:read"]))).toMatchObject({ status: 200 });
    expect(await both(...create(["api:write"]))).toMatchObject({ status: 403 });
  });

  test("sees their keys, and neither those of others nor those of their name in a tenant", async () => {
    const own = await keyOf({ owner: `user/${alice}`, scopes: ["api:read"] });
    const others = [
      await keyOf({ owner: "user/bob" }),
      await keyOf({}),
      await keyOf({ owner: `user/${alice}`, tenant: "acme" }),
    ];
    const call = await person(alice);
    const listed = await call("KeyService/ListKeys");
    expect((listed.answer.keys as { id: string }[]).map(({ id }) => id)).toEqual([own]);
    expect(await call("KeyService/ListKeys", { filter: 'owner = "user/bob"' })).toMatchObject({
      reason: "OTHER_OWNER",
    });
    expect(await call("KeyService/ListKeys", { filter: 'tenant = "acme"' })).toMatchObject({ reason: "OTHER_TENANT" });
    for (const method of ["GetKey", "RotateKey", "RevokeKey", "DisableKey"]) {
      for (const key of others) {
        expect(await call(`KeyService/${method}`, { key })).toMatchObject({ status: 404, reason: "KEY_NOT_FOUND" });
      }
    }
    expect(await call("KeyService/GetKey", { key: own })).toMatchObject({ status: 200 });
    expect(await call("KeyService/RotateKey", { key: own })).toMatchObject({ status: 200 });
    expect(await call("KeyService/RevokeKey", { key: own })).toMatchObject({ status: 200 });
  });

  test("finds their key by its start among many of others with the same start", async () => {
    withStore(keyward, (store) => {
      const make = (id: string, owner: string, tenant?: string) =>
        store.createKey(sampleKey(`${alice} ${id}`, { id, start: "kw_Thesame8", owner, tenant }), storeActor, 1);
      for (let number = 10; number < 22; number++) make(`key_a${number}${alice}`, "user/bob");
      for (let number = 10; number < 22; number++) make(`key_b${number}${alice}`, `user/${alice}`, "acme");
      make(`key_z${alice}`, `user/${alice}`);
    });
    const call = await person(alice);
    const found = await call("KeyService/GetKey", { key: "kw_Thesame8" });
    expect(found.answer.key).toMatchObject({ id: `key_z${alice}` });
    expect(await (await person("bob"))("KeyService/GetKey", { key: "kw_Thesame8" })).toMatchObject({
      reason: "KEY_NAME_AMBIGUOUS",
    });
  });

  test("gets no page of a list by the token of somebody else", async () => {
    await Promise.all([1, 2].map(() => keyOf({ owner: `user/${alice}` })));
    const mine = await (await person(alice))("KeyService/ListKeys", { pageSize: 1 });
    const pageToken = mine.answer.nextPageToken;
    expect(await (await person(alice))("KeyService/ListKeys", { pageSize: 1, pageToken })).toMatchObject({
      status: 200,
    });
    expect(await (await person("bob"))("KeyService/ListKeys", { pageSize: 1, pageToken })).toMatchObject({
      status: 400,
    });
  });

  test("does not replace a key that was given more than they may grant", async () => {
    const key = await keyOf({ owner: `user/${alice}`, scopes: ["api:write"] });
    const call = await person(alice);
    expect(await call("KeyService/RotateKey", { key })).toMatchObject({ status: 403, reason: "BEYOND_GRANTABLE" });
    expect(await call("KeyService/DisableKey", { key })).toMatchObject({ status: 200 });
  });

  test("has a bounded number of live keys, which they can always replace without grace; an administrator is not bound", async () => {
    const own = (index: number) => `key_${alice}_${index}`;
    withStore(keyward, (store) => {
      for (let index = 0; index < MAX_OWN_LIVE_KEYS - 1; index++) {
        store.createKey(sampleKey(`${alice} ${index}`, { id: own(index), owner: `user/${alice}` }), storeActor, 1);
      }
    });
    const call = await person(alice);
    const create = (more: object = {}) => call("KeyService/CreateKey", { name: "x", ...more });
    const refused = { status: 429, reason: "TOO_MANY_KEYS" };
    expect(await create({ validateOnly: true })).toMatchObject({ status: 200 });
    expect(await create({ requestId: `last-${alice}` })).toMatchObject({ status: 200 });
    expect(await create()).toMatchObject({
      ...refused,
      message:
        `user/${alice} has 100 live keys or more; ` +
        "revoke one that is not needed (a rotation without grace adds none), or ask an administrator to make it",
    });
    expect(await create({ requestId: `last-${alice}` })).toMatchObject({ status: 200 });
    expect(await create({ validateOnly: true })).toMatchObject(refused);
    const rotate = (graceSeconds: number) => call("KeyService/RotateKey", { key: own(0), grace: `${graceSeconds}s` });
    expect(await rotate(60)).toMatchObject(refused);
    expect(await rotate(0)).toMatchObject({ status: 200 });
    expect(await (await person("bob"))("KeyService/CreateKey", { name: "x" })).toMatchObject({ status: 200 });
    expect(await (await person(alice, "acme"))("KeyService/CreateKey", { name: "x" })).toMatchObject({ status: 200 });
    expect(await local("KeyService/CreateKey", { name: "x", owner: `user/${alice}` })).toMatchObject({ status: 200 });
    for (const index of [1, 2]) await call("KeyService/RevokeKey", { key: own(index) });
    expect([await create(), await create()]).toMatchObject([{ status: 200 }, refused]);
  });

  test("only reads where the entry says so", async () => {
    const call = await person(alice, "readers");
    expect(await call("KeyService/ListKeys")).toMatchObject({ status: 200 });
    expect(await call("KeyService/CreateKey", { name: "x" })).toMatchObject({ status: 403, reason: "MISSING_SCOPE" });
  });

  test("in a tenant grants what is grantable there, and belongs to it", async () => {
    const call = await person(alice, "acme");
    const made = await call("KeyService/CreateKey", { name: "x", scopes: ["orders:read"] });
    expect(made.answer.key).toMatchObject({ tenant: "acme", owner: `user/${alice}` });
    expect(await call("KeyService/CreateKey", { name: "x", scopes: ["api:read"] })).toMatchObject({ status: 403 });
    const outside = await keyOf({ owner: `user/${alice}` });
    expect(await call("KeyService/GetKey", { key: outside })).toMatchObject({ status: 404 });
  });

  test("uses the REST façade for their keys in their tenant only", async () => {
    const list = async (sub: string, group: string) => {
      const token = await issuer.token({ sub, groups: [group] });
      const headers = { authorization: `Bearer ${token}` };
      return sendHttp1(keyward.admin, { method: "GET", path: "/api/v1/tenant/acme/api-keys/list", headers });
    };
    await keyOf({ owner: `user/${alice}`, tenant: "acme", name: "mine" });
    await keyOf({ owner: "user/bob", tenant: "acme", name: "not mine" });
    const { status, body } = await list(alice, "acme");
    expect(status).toBe(200);
    expect(JSON.parse(body).api_keys.map(({ name }: { name: string }) => name)).toEqual(["mine"]);
    expect((await list(alice, "people")).status).toBe(403);
  });
});

/** What those who manage their own keys may call; everything else is closed to them. */
const OPEN = ["CreateKey", "GetKey", "ListKeys", "RotateKey", "RevokeKey", "DisableKey"];

/** These answer in another protocol; who may call them is judged by the same function. */
const STREAMS = ["AuditService/WatchEvents", "SystemService/Backup"];

test.each(
  Object.entries(METHOD_ACCESS)
    .filter(([, needed]) => needed !== "open")
    .map(([method]) => method.replace("keyward.admin.v1.", "").replace(".", "/"))
    .filter((method) => !OPEN.includes(method.replace("KeyService/", "")) && !STREAMS.includes(method)),
)("%s is closed to those who manage their own keys", async (method) => {
  const key = await keyOf({ owner: `user/${alice}` });
  const call = await person(alice);
  const body = /Service\/\w+(?<!Signing)Key$|Check$/.test(method) ? { key } : {};
  expect(await call(method, method === "AdminKeyService/CreateAdminKey" ? { name: "x" } : body)).toMatchObject({
    status: 403,
    reason: "OWNER_BOUND",
  });
});
