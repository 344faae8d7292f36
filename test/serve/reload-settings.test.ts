import { rmSync } from "node:fs";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { loadSettings } from "../../src/config/load.ts";
import { serve } from "../../src/serve/serve.ts";
import { sendHttp1 } from "../admin/support/http.ts";
import { AUDIENCE, startIssuer } from "../admin/support/issuer.ts";
import { damageLog } from "../faults/support/damaged-log.ts";
import { local, sampleKey } from "../store/support/keys.ts";
import { adminCall, createKey } from "../support/admin-call.ts";
import { type CheckClient, createCheckClient, type Described, describeRequest } from "../support/check-client.ts";
import { withStore } from "../support/direct-store.ts";
import { SIGNING_ENV } from "../support/encryption-keys.ts";
import { checkClientForThisTest, folderForThisTest, keywardForThisTest } from "../support/for-this-test.ts";
import { beginCheck } from "../support/half-check.ts";
import { type Keyward, startKeyward } from "../support/keyward.ts";
import { logged } from "../support/logged.ts";
import { until } from "../support/until.ts";
import { verdictOf } from "../support/verdict.ts";
import { linesOf, reload } from "./support/reload.ts";
import { SEEN_TO_RELOAD } from "./support/reloadable.ts";

const DAY = 86_400;

let keyward: Keyward;
let client: CheckClient;
beforeAll(async () => {
  keyward = await startKeyward({ config: "{}\n", env: SIGNING_ENV });
  client = createCheckClient(keyward.authz);
});
afterAll(async () => {
  client.close();
  await keyward.stop();
});

const newKey = (fields: object = {}) => createKey(keyward.adminSocket, { ...fields });
const reasonOf = async (request: Described = {}) => (await client.check(request)).reason;
const presented = async (fields: object, request: Described = {}) => {
  const { reason } = await client.present((await newKey(fields)).secret, request);
  return reason;
};

/** What a new key is refused for, or how long it lives in days; undefined: for ever. */
async function lifeOf(fields: object): Promise<number | string | undefined> {
  const create = adminCall<{ key: Record<string, string> }>(keyward.adminSocket, "KeyService/CreateKey", {
    name: "test",
    ...fields,
  });
  return create.then(
    ({ key: { createdAt = "", expiresAt } }) =>
      expiresAt && Math.round((Date.parse(expiresAt) - Date.parse(createdAt)) / 1000 / DAY),
    (error: Error) => /key_lifetime\.max/.exec(error.message)?.[0] ?? error.message,
  );
}

/** The names of the headers that tell the upstream of a key which has all that can be told. */
async function identityHeaders(): Promise<string[]> {
  const { secret } = await newKey({ owner: "user/alice", tenant: "acme", scopes: ["api:read"] });
  return Object.keys((await client.present(secret)).headers).toSorted();
}

async function claimOf(name: string): Promise<unknown> {
  const { secret } = await newKey({ format: "KEY_FORMAT_JWT", alg: "ES256" });
  return JSON.parse(Buffer.from(secret.split(".")[1] ?? "", "base64url").toString())[name];
}

async function restFormat(): Promise<unknown> {
  const { body } = await sendHttp1(`unix:${keyward.adminSocket}`, {
    path: "/api/v1/tenant/acme/api-keys/create",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "x" }),
  });
  return JSON.parse(body).format;
}

/** What is added to the client's answer in the last three days of a key. */
async function warning(): Promise<string[]> {
  const { secret } = await newKey({ expiresIn: `${3 * DAY}s` });
  const request = describeRequest({ headers: [["authorization", `Bearer ${secret}`]] });
  const { responseHeaders } = verdictOf(await client.call("/envoy.service.auth.v3.Authorization/Check", request));
  return responseHeaders.map(({ header }) => header?.key ?? "").toSorted();
}

/** Whether a key that is used five times and refused five times raises an alert of that kind. */
async function alerts(event: string): Promise<boolean> {
  const { id, secret } = await newKey();
  for (let sent = 0; sent < 5; sent++) await client.present(secret);
  for (let sent = 0; sent < 5; sent++) await client.present(secret, { path: "/closed" });
  // What comes after it is judged after it, whatever came of it.
  const { id: last, secret: lastSecret } = await newKey();
  await adminCall(keyward.adminSocket, "KeyService/RevokeKey", { key: last });
  await client.present(lastSecret);
  const isTold = (what: string, key: string) =>
    keyward
      .log()
      .split("\n")
      .some((line) => line.includes(`"event":"${what}"`) && line.includes(key));
  await until("the alert that always comes is told", () => isTold("revoked_key_used", last));
  return isTold(event, id);
}

const ROUTES = `routes:
  - { path: /closed, scopes: [never] }
  - { path: "/**", access: authenticated }
`;

/** Names, what the file says before and after, what is asked, and the two answers. */
const ROWS: [
  names: string,
  before: string,
  after: string,
  ask: () => Promise<unknown>,
  answers: [before: unknown, after: unknown],
][] = [
  ["default_access", "default_access: deny", "default_access: public", reasonOf, ["route_denied", "public"]],
  [
    "routes",
    `routes: [{ path: "/a", access: deny }]`,
    `routes: [{ path: "/a", access: public }]`,
    () => reasonOf({ path: "/a" }),
    ["route_denied", "public"],
  ],
  [
    "credentials",
    "credentials: [{ from: bearer }]",
    "credentials: [{ from: header, name: x-other }]",
    () => presented({}),
    ["allowed", "no_credential"],
  ],
  [
    "scopes",
    `routes: [{ path: "/**", scopes: [api:read] }]\nscopes: { api:read: {}, api:write: {} }`,
    `routes: [{ path: "/**", scopes: [api:read] }]\nscopes: { api:read: {}, api:write: { implies: [api:read] } }`,
    () => presented({ scopes: ["api:write"] }),
    ["insufficient_scope", "allowed"],
  ],
  [
    "tenants",
    "tenants: { acme: {} }",
    "tenants: { acme: { prefix: acme_live } }",
    async () => (await newKey({ tenant: "acme" })).secret.replace(/_[^_]*$/, ""),
    ["kw", "acme_live"],
  ],
  [
    "client_address.trusted_hops",
    "client_address: { trusted_hops: 0 }",
    "client_address: { trusted_hops: 1 }",
    () => presented({ cidrs: ["203.0.113.0/24"] }, { headers: [["x-forwarded-for", "203.0.113.7, 10.0.0.1"]] }),
    ["address_not_allowed", "allowed"],
  ],
  [
    "key_lifetime.default",
    "key_lifetime: { default: never }",
    "key_lifetime: { default: 3d }",
    () => lifeOf({}),
    [undefined, 3],
  ],
  [
    "key_lifetime.max",
    "key_lifetime: { max: 10d }",
    "key_lifetime: { max: 9d }",
    () => lifeOf({ expiresIn: `${10 * DAY}s` }),
    [10, "key_lifetime.max"],
  ],
  [
    "alerts.requests_per_hour",
    `${ROUTES}alerts: { requests_per_hour: 5 }`,
    `${ROUTES}alerts: { requests_per_hour: 4 }`,
    () => alerts("key_request_rate"),
    [false, true],
  ],
  [
    "alerts.denials_per_minute",
    `${ROUTES}alerts: { denials_per_minute: 5 }`,
    `${ROUTES}alerts: { denials_per_minute: 4 }`,
    () => alerts("key_denial_burst"),
    [false, true],
  ],
  [
    "realm",
    "realm: one",
    "realm: two",
    async () => (await client.check()).headers["www-authenticate"],
    ['Bearer realm="one"', 'Bearer realm="two"'],
  ],
  [
    "www_authenticate",
    "www_authenticate: on",
    "www_authenticate: off",
    async () => "www-authenticate" in (await client.check()).headers,
    [true, false],
  ],
  ["expiry_warning", "expiry_warning: 4d", "expiry_warning: 2d", warning, [["sunset", "x-keyward-key-expires-in"], []]],
  [
    "identity_headers.key_id identity_headers.owner identity_headers.tenant identity_headers.scopes",
    "identity_headers: { key_id: x-keyward-key-id }",
    "identity_headers: { key_id: x-k, owner: x-o, tenant: x-t, scopes: x-s }",
    identityHeaders,
    [
      ["x-keyward-key-id", "x-keyward-owner", "x-keyward-scopes", "x-keyward-tenant"],
      ["x-k", "x-o", "x-s", "x-t"],
    ],
  ],
  ["jwt.issuer", "jwt: { issuer: one }", "jwt: { issuer: two }", () => claimOf("iss"), ["one", "two"]],
  ["jwt.audience", "jwt: { audience: one }", "jwt: { audience: two }", () => claimOf("aud"), ["one", "two"]],
  [
    "rest.default_format",
    "rest: { default_format: opaque }",
    "rest: { default_format: jwt }",
    restFormat,
    ["opaque", "jwt"],
  ],
];

test.each(ROWS)("%s is obeyed by the next call after a reload", async (names, before, after, ask, answers) => {
  expect(await reload(keyward, `${before}\n`)).toBe(true);
  const first = await ask();
  expect(await reload(keyward, `${after}\n`)).toBe(true);
  expect([first, await ask()]).toEqual(answers);
  expect(linesOf(keyward, "reloaded").at(-1)?.changed).toEqual(names.split(" "));
});

test("log.level is obeyed by the next line after a reload", async () => {
  const denied = async () => String((await client.check({ path: "/" })).metadata.decision_id);
  await reload(keyward, "log: { level: error }\n", "untold");
  const unseen = await denied();
  await reload(keyward, "log: { level: info }\n");
  const seen = await denied();
  await logged(keyward, seen);
  expect(keyward.log()).not.toContain(unseen);
});

test("log.allowed is obeyed by the next check after a reload", async () => {
  const { secret } = await newKey();
  const allowed = async () => String((await client.present(secret)).metadata.decision_id);
  await reload(keyward, "log: { allowed: all }\n");
  const first = await allowed();
  await reload(keyward, "log: { allowed: none }\n");
  const unseen = await allowed();
  await reload(keyward, "log: { allowed: sampled }\n");
  const last = await allowed();
  await logged(keyward, last);
  expect([keyward.log().includes(first), keyward.log().includes(unseen)]).toEqual([true, false]);
});

test.each([
  ["ended_keys", "keys.purge"],
  ["audit", "audit.purge"],
])("retention.%s is obeyed at once", async (name, purge) => {
  const folder = folderForThisTest();
  const old = Date.now() - 3 * DAY * 1000;
  withStore({ database: `${folder}/keyward.db` }, (store) => {
    store.createKey(sampleKey(name), local, old);
    store.revokeKey(`key_${name}`, "", local, old);
  });
  const own = await keywardForThisTest({ folder, config: `retention: { ${name}: 4d }\n` });
  const actions = async () => {
    const { events } = await adminCall<{ events: { action: string }[] }>(
      own.adminSocket,
      "AuditService/ListEvents",
      {},
    );
    return events.map(({ action }) => action);
  };
  expect(await actions()).toEqual(["keys.revoke", "keys.create"]);
  await reload(own, `retention: { ${name}: 2d }\n`);
  await until("it is purged", async () => (await actions()).includes(purge));
});

test("on_store_error is obeyed by the next check after a reload", async () => {
  const own = await keywardForThisTest({ config: "on_store_error: deny\n" });
  const { secret } = await createKey(own.adminSocket);
  const checks = checkClientForThisTest(own.authz);
  for (const file of ["", "-wal", "-shm"]) rmSync(`${own.database}${file}`);
  await until("the store is gone", async () => (await checks.present(secret)).reason === "store_unavailable");
  expect((await checks.present(secret)).answer).toBe("denied");
  await reload(own, "on_store_error: error\n");
  expect((await checks.present(secret)).answer).toBe("error");
});

test("stale.serve_for is obeyed by the next check after a reload", async () => {
  const folder = folderForThisTest();
  const admin = await keywardForThisTest({ folder, flags: ["--mode", "admin"] });
  const { secret } = await createKey(admin.adminSocket);
  const own = await keywardForThisTest({ folder, flags: ["--mode", "authz"], config: "stale: { serve_for: 1h }\n" });
  const checks = checkClientForThisTest(own.authz);
  await checks.present(secret);
  process.kill(own.pid, "SIGSTOP");
  await createKey(admin.adminSocket);
  const mend = damageLog(own.database);
  process.kill(own.pid, "SIGCONT");
  await until("it is stale", async () => "stale" in (await checks.present(secret)).metadata);
  const reasons = [];
  for (const time of ["0s", "1h"]) {
    await reload(own, `stale: { serve_for: ${time} }\n`);
    reasons.push((await checks.present(secret)).reason);
  }
  expect(reasons).toEqual(["store_unavailable", "allowed"]);
  mend();
});

test("shutdown_delay is obeyed by a program that ends after a reload", async () => {
  const folder = folderForThisTest();
  const ports = { "listen-authz": "127.0.0.1:0", "listen-admin": "127.0.0.1:0", "listen-ops": "127.0.0.1:0" };
  const lines = new Map<string, object>();
  const { settings } = loadSettings({
    flags: { ...ports, database: `${folder}/k.db`, "shutdown-delay": "10m" },
    env: {},
    cwd: folder,
  });
  const program = await serve(settings, "0", (_, message, fields = {}) => lines.set(message, fields));
  await program.reload({ ...settings, shutdownDelayMs: 1 });
  expect(await program.stop()).toBe(true);
  expect(lines.get("shutting down")).toEqual({ delay_ms: 1 });
});

test("shutdown_timeout is obeyed by a program that ends after a reload", async () => {
  const own = await keywardForThisTest({ config: "shutdown_timeout: 1h\n" });
  await beginCheck(own.authz, describeRequest());
  await reload(own, "shutdown_timeout: 1s\n");
  process.kill(own.pid, "SIGTERM");
  expect(await own.ended).toBe("Keyward ended (exit code 1)");
});

test("oidc and admin_identities are obeyed by the next login after a reload", async () => {
  const issuer = await startIssuer();
  onTestFinished(() => issuer.stop());
  const good = { issuer: issuer.url, audience: AUDIENCE, jwks_url: `${issuer.url}/keys`, clock_tolerance: "5m" };
  const file = (oidc: object, group = "ops") =>
    JSON.stringify({ oidc: { ...good, ...oidc }, admin_identities: [{ claims: { group }, scopes: ["keys:read"] }] });
  const own = await keywardForThisTest({ config: file({}) });
  const exp = Math.floor(Date.now() / 1000) - 60;
  const authorization = `Bearer ${await issuer.token({ group: "ops", exp })}`;
  const login = async () => {
    const path = "/keyward.admin.v1.KeyService/ListKeys";
    const headers = { "content-type": "application/json", authorization };
    return (await sendHttp1(own.admin, { path, headers, body: "{}" })).status;
  };
  const statuses = [await login()];
  const others = [
    { issuer: `${issuer.url}/` },
    { audience: "x" },
    { jwks_url: `${issuer.url}/` },
    { clock_tolerance: 0 },
  ];
  for (const config of [...others.map((other) => file(other)), file({}, "dev"), file({})]) {
    await reload(own, config);
    statuses.push(await login());
  }
  expect(statuses).toEqual([200, 401, 401, 503, 401, 401, 200]);
});

test("each name in the list of what is seen to reload is seen above", () => {
  const apart = ["log.level", "log.allowed", "retention.ended_keys", "retention.audit", "on_store_error"];
  const login = ["oidc.issuer", "oidc.audience", "oidc.jwks_url", "oidc.clock_tolerance", "admin_identities"];
  const others = [...login, "stale.serve_for", "shutdown_delay", "shutdown_timeout"];
  const seen = [...ROWS.flatMap(([names]) => names.split(" ")), ...apart, ...others];
  expect(seen.toSorted()).toEqual(SEEN_TO_RELOAD);
});
