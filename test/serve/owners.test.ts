import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { openStore } from "../../src/store/store.ts";
import { local, sampleKey } from "../store/support/keys.ts";
import { adminCall, createKey } from "../support/admin-call.ts";
import { type CheckClient, createCheckClient } from "../support/check-client.ts";
import { checkClientForThisTest, folderForThisTest, keywardForThisTest } from "../support/for-this-test.ts";
import { type Keyward, startKeyward } from "../support/keyward.ts";
import { secretOf } from "../support/sample-keys.ts";
import { until } from "../support/until.ts";

const CONFIG = `
scopes:
  "admin": { implies: ["api:*"] }
  "api:write": { implies: ["api:read"] }
  "api:read": {}
  "orders:read": {}
routes:
  - { path: /read, scopes: ["api:read"] }
  - { path: /write, scopes: ["api:write"] }
  - { path: /orders, scopes: ["orders:read"] }
  - { path: "/**", access: authenticated }
`;

/** The paths of those routes that ask for scopes. */
const ASKING = ["/read", "/write", "/orders"];

/** Somebody in a tenant whom no other test knows. */
interface Somebody {
  readonly owner: string;
  readonly tenant: string;
}

let count = 0;
const somebody = (): Somebody => ({ owner: `user/alice${++count}`, tenant: "acme" });

/** Whose keys are not hers, by one character or by the tenant. */
const NEIGHBOURS: readonly (readonly [title: string, of: (her: Somebody) => object])[] = [
  ["of the same name in another tenant", ({ owner }) => ({ owner, tenant: "acm" })],
  ["of the same name without a tenant", ({ owner }) => ({ owner })],
  ["of a name with a character more", ({ owner, tenant }) => ({ owner: `${owner}x`, tenant })],
  ["of a name in another case", ({ owner, tenant }) => ({ owner: owner.replace("alice", "Alice"), tenant })],
  ["of another kind", ({ owner, tenant }) => ({ owner: owner.replace("user/", "service/"), tenant })],
  ["without an owner", ({ tenant }) => ({ tenant })],
];

let keyward: Keyward;
let client: CheckClient;
beforeAll(async () => {
  keyward = await startKeyward({ config: CONFIG });
  client = createCheckClient(keyward.authz);
});
afterAll(async () => {
  client.close();
  await keyward.stop();
});

const make = async (key: object, { adminSocket } = keyward) => (await createKey(adminSocket, { ...key })).secret;

/** Calls a method of OwnerService about somebody. */
function changing(her: Somebody, { adminSocket } = keyward) {
  return (method: "Create" | "Update" | "Delete", request: object = {}) =>
    adminCall<{ enforced?: boolean }>(adminSocket, `OwnerService/${method}Owner`, { ...her, ...request });
}

/** Which of the paths that ask for scopes a key opens, with what it is said to grant there. */
async function opened(secret: string): Promise<Record<string, string | undefined>> {
  const answers = await Promise.all(
    ASKING.map(async (path) => {
      const { reason, headers } = await client.present(secret, { path });
      return reason === "allowed" ? [[path, headers["x-keyward-scopes"]]] : [];
    }),
  );
  return Object.fromEntries(answers.flat());
}

const reasonOf = async (secret: string) => (await client.present(secret, { path: "/any" })).reason;

describe("an owner's list", () => {
  test("cuts its keys at the next check, which tells upstream and client what is left", async () => {
    const her = somebody();
    const change = changing(her);
    const secret = await make({ ...her, scopes: ["api:write", "orders:read"] });
    const all = "api:write orders:read";
    expect(await opened(secret)).toEqual({ "/read": all, "/write": all, "/orders": all });

    await change("Create", { scopes: ["api:read"] });
    expect(await opened(secret)).toEqual({ "/read": "api:read" });
    const { body, status, metadata, ...denied } = await client.present(secret, { path: "/write" });
    expect([denied.reason, status]).toEqual(["insufficient_scope", 403]);
    expect(JSON.parse(body)).toMatchObject({ required: ["api:write"], provided: ["api:read"] });
    expect(metadata).toMatchObject({ owner: her.owner, tenant: her.tenant, scopes: ["api:read"] });
  });

  test("that is widened gives back what the key itself has, and never more", async () => {
    const her = somebody();
    const change = changing(her);
    const secret = await make({ ...her, scopes: ["api:read", "orders:read"] });
    const narrow = await make({ ...her, scopes: ["api:read"] });
    await change("Create", { scopes: ["orders:read"] });
    expect([await opened(secret), await opened(narrow)]).toEqual([{ "/orders": "orders:read" }, {}]);

    await change("Update", { updateMask: "scopes", scopes: ["admin", "orders:read"] });
    const both = "api:read orders:read";
    expect(await opened(secret)).toEqual({ "/read": both, "/orders": both });
    expect(await opened(narrow)).toEqual({ "/read": "api:read" });

    await change("Update", { updateMask: "limitScopes", limitScopes: false });
    expect(await opened(secret)).toEqual({ "/read": both, "/orders": both });
    expect(await opened(narrow)).toEqual({ "/read": "api:read" });
  });

  test("that is empty leaves what asks for a key and nothing more", async () => {
    const her = somebody();
    const change = changing(her);
    const secret = await make({ ...her, scopes: ["admin"] });
    await change("Create", { limitScopes: true });
    expect(await opened(secret)).toEqual({});
    const { reason, headers, removed } = await client.present(secret, { path: "/any" });
    expect([reason, headers["x-keyward-scopes"]]).toEqual(["allowed", undefined]);
    expect(removed).toContain("x-keyward-scopes");
    const { body } = await client.present(secret, { path: "/read" });
    expect(JSON.parse(body)).toMatchObject({ required: ["api:read"], provided: [] });
  });

  test("is what a key has that inherits, and it follows", async () => {
    const her = somebody();
    const change = changing(her);
    await change("Create", { scopes: ["api:read"] });
    const secret = await make({ ...her, inheritScopes: true });
    expect(await opened(secret)).toEqual({ "/read": "api:read" });
    await change("Update", { updateMask: "scopes", scopes: ["api:write"] });
    expect(await opened(secret)).toEqual({ "/read": "api:write", "/write": "api:write" });
    await change("Update", { updateMask: "scopes", scopes: ["orders:read"] });
    expect(await opened(secret)).toEqual({ "/orders": "orders:read" });
    await change("Update", { updateMask: "limitScopes", limitScopes: false });
    expect(await opened(secret)).toEqual({});
  });
});

describe("a disabled owner", () => {
  test("refuses all its keys as owner_disabled, until it is enabled", async () => {
    const her = somebody();
    const change = changing(her);
    const secrets = [await make(her), await make({ ...her, scopes: ["admin"] })];
    const inherits = { ...her, inheritScopes: true };
    await change("Create", { scopes: ["admin"] });
    secrets.push(await make(inherits));
    const reasons = () => Promise.all(secrets.map((secret) => reasonOf(secret)));
    expect(await reasons()).toEqual(["allowed", "allowed", "allowed"]);
    await change("Update", { updateMask: "disabled", disabled: true });
    expect(await reasons()).toEqual(["owner_disabled", "owner_disabled", "owner_disabled"]);
    secrets.push(await make(her));
    const { code, status, body } = await client.present(secrets[3] ?? "", { path: "/any" });
    expect([code, status, JSON.parse(body).error]).toEqual([16, 401, "invalid_token"]);
    await change("Update", { updateMask: "disabled" });
    expect(await reasons()).toEqual(["allowed", "allowed", "allowed", "allowed"]);
  });

  test("does not hide that a key is disabled or revoked, and opens neither when it is enabled", async () => {
    const her = somebody();
    const change = changing(her);
    const key = (method: string, request: object) => adminCall(keyward.adminSocket, `KeyService/${method}Key`, request);
    const [disabled, revoked] = [
      await createKey(keyward.adminSocket, { ...her }),
      await createKey(keyward.adminSocket, { ...her }),
    ];
    await change("Create");
    await change("Update", { updateMask: "disabled", disabled: true });
    await key("Disable", { key: disabled.id });
    await key("Revoke", { key: revoked.id });
    const reasons = async () => [await reasonOf(disabled.secret), await reasonOf(revoked.secret)];
    expect(await reasons()).toEqual(["key_disabled", "key_revoked"]);
    await change("Update", { updateMask: "disabled" });
    expect(await reasons()).toEqual(["key_disabled", "key_revoked"]);
  });
});

test("the keys of a deleted owner are revoked, also once the owner is registered again", async () => {
  const her = somebody();
  const change = changing(her);
  const secrets = [await make(her), await make({ ...her, scopes: ["admin"] })];
  const reasons = () => Promise.all(secrets.map((secret) => reasonOf(secret)));
  await change("Create");
  expect(await reasons()).toEqual(["allowed", "allowed"]);
  await change("Delete");
  expect(await reasons()).toEqual(["key_revoked", "key_revoked"]);
  await change("Create", { scopes: ["admin"] });
  expect(await reasons()).toEqual(["key_revoked", "key_revoked"]);
  secrets.push(await make({ ...her, scopes: ["admin"] }));
  expect(await reasons()).toEqual(["key_revoked", "key_revoked", "allowed"]);
});

test("what befalls an owner befalls none of its neighbours", async () => {
  const her = somebody();
  const change = changing(her);
  const scopes = ["admin", "orders:read"];
  const hers = await make({ ...her, scopes });
  const others = await Promise.all(
    NEIGHBOURS.map(async ([title, of]) => ({ title, secret: await make({ ...of(her), scopes }) })),
  );
  const all = { "/read": "admin orders:read", "/write": "admin orders:read", "/orders": "admin orders:read" };
  const seen = async () =>
    Object.fromEntries(
      await Promise.all(others.map(async ({ title, secret }) => [title, await opened(secret)] as const)),
    );
  const untouched = Object.fromEntries(NEIGHBOURS.map(([title]) => [title, all]));
  expect([await opened(hers), await seen()]).toEqual([all, untouched]);

  await change("Create", { scopes: ["api:read"] });
  expect([await opened(hers), await seen()]).toEqual([{ "/read": "api:read" }, untouched]);
  await change("Update", { updateMask: "disabled", disabled: true });
  expect([await reasonOf(hers), await seen()]).toEqual(["owner_disabled", untouched]);
  await change("Delete");
  expect([await reasonOf(hers), await seen()]).toEqual(["key_revoked", untouched]);
});

describe("an owner with more keys than the feed names one by one", () => {
  const COUNT = 1_001;

  /** Keeps that many keys of somebody, and one of a neighbour; tells how some from all over the list are judged. */
  async function many(her: Somebody) {
    const store = openStore(keyward.database);
    onTestFinished(() => store.close());
    const secrets = Array.from({ length: COUNT }, (_, index) => secretOf(`${her.owner} ${index}`));
    for (const [index, secret] of secrets.entries()) {
      const id = `key_${her.owner}_${index}`;
      store.createKey(sampleKey(secret, { id, name: "k", ...her, scopes: ["api:write"] }), local, 1);
    }
    const other = await make({ owner: her.owner, scopes: ["api:write"] });
    const some = [0, 1, 500, 999, 1_000].map((index) => secrets[index] ?? "");
    const reasons = async (of = some) => {
      const found = await Promise.all(of.map((secret) => client.present(secret, { path: "/write" })));
      return [...new Set(found.map(({ reason }) => reason))].join(" ");
    };
    expect([await reasons(), await reasons([other])]).toEqual(["allowed", "allowed"]);
    return { store, reasons, other };
  }

  test("is obeyed at the next check", async () => {
    const her = somebody();
    const change = changing(her);
    const { reasons, other } = await many(her);
    const seen: string[] = [];
    const step = async (...[method, request]: Parameters<typeof change>) => {
      expect(await change(method, request)).toMatchObject({ enforced: true });
      seen.push(await reasons());
    };
    await step("Create", { scopes: ["api:read"] });
    await step("Update", { updateMask: "scopes", scopes: ["api:write"] });
    await step("Update", { updateMask: "disabled", disabled: true });
    await step("Update", { updateMask: "disabled" });
    await step("Delete");
    expect(seen).toEqual(["insufficient_scope", "allowed", "owner_disabled", "allowed", "key_revoked"]);
    expect(await reasons([other])).toBe("allowed");
  });

  test("is obeyed when another process changes it", async () => {
    const her = somebody();
    const { store, reasons, other } = await many(her);
    const name = { tenant: her.tenant, name: her.owner };
    const plain = { displayName: "", scopes: undefined, disabled: false };
    const { revision } = store.createOwner({ ...name, ...plain, scopes: ["api:read"] }, local, 2);
    await until("the keys are cut", async () => (await reasons()) === "insufficient_scope");
    const disabled = store.updateOwner(name, { ...plain, disabled: true }, local, 3, revision);
    await until("the keys are refused", async () => (await reasons()) === "owner_disabled");
    store.deleteOwner(name, local, 4, disabled?.revision ?? 0);
    await until("the keys are revoked", async () => (await reasons()) === "key_revoked");
    expect(await reasons([other])).toBe("allowed");
  });
});

test("a process that only serves checks obeys what another one does with an owner", async () => {
  const folder = folderForThisTest();
  const admin = await keywardForThisTest({ folder, config: CONFIG, flags: ["--mode", "admin"] });
  const checks = await keywardForThisTest({ folder, config: CONFIG, flags: ["--mode", "authz"] });
  const other = checkClientForThisTest(checks.authz);
  const her = somebody();
  const change = changing(her, admin);
  const secret = await make({ ...her, scopes: ["api:write"] }, admin);
  const becomes = (reason: string) =>
    until(`the answer is ${reason}`, async () => (await other.present(secret, { path: "/write" })).reason === reason);
  await becomes("allowed");
  expect(await change("Create", { scopes: ["api:read"] })).not.toHaveProperty("enforced");
  await becomes("insufficient_scope");
  await change("Update", { updateMask: "scopes,disabled", scopes: ["api:write"], disabled: true });
  await becomes("owner_disabled");
  await change("Update", { updateMask: "disabled" });
  await becomes("allowed");
  await change("Delete");
  await becomes("key_revoked");
});
