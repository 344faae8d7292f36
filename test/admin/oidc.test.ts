import { createHmac, randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { AuditService } from "../../src/gen/keyward/admin/v1/audit_service_pb.ts";
import { keywardForThisTest } from "../support/for-this-test.ts";
import { type Keyward, startKeyward } from "../support/keyward.ts";
import { logged } from "../support/logged.ts";
import { byLabel, readMetrics } from "../support/metrics.ts";
import { until } from "../support/until.ts";
import { http2Options } from "./support/clients.ts";
import { sendHttp1 } from "./support/http.ts";
import { AUDIENCE, type Issuer, startIssuer } from "./support/issuer.ts";
import { refusedOfConnect, refusedOfJson } from "./support/refused.ts";

let issuer: Issuer;
let keyward: Keyward;
beforeAll(async () => {
  issuer = await startIssuer();
  keyward = await startKeyward({ config: configOf(issuer.url) });
});
afterAll(async () => {
  await keyward.stop();
  await issuer.stop();
});

const IDENTITIES = `
admin_identities:
  - { claims: { groups: platform }, scopes: [keys:read, keys:write, owners:write, audit:read, admins:write, system:write] }
  - { claims: { realm_access.roles: auditor, department: security }, scopes: [audit:read] }
  - { claims: { groups: tenants }, scopes: [keys:read, keys:write, audit:read], tenant: "{org}" }
  - { claims: { scope: keyward }, scopes: [keys:read] }
  - { claims: { email: bob@example.com }, scopes: [keys:read] }
`;

function configOf(url: string): string {
  return `oidc: { issuer: "${url}", audience: ${AUDIENCE}, clock_tolerance: 5s }\n${IDENTITIES}`;
}

let callers = 0;

/** Another address for each call: here nobody is to be slowed down for failures. */
function nextAddress(): string {
  callers++;
  return `127.0.1.${1 + (callers % 250)}`;
}

/** What a method over the network answers to a token. */
async function call(token: string, method = "KeyService/ListKeys", body: object = {}, to = keyward) {
  const answer = await sendHttp1(to.admin, {
    path: `/keyward.admin.v1.${method}`,
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
    from: nextAddress(),
  });
  if (answer.status === 200) return { status: 200, answer: JSON.parse(answer.body) };
  const { code, reason, message } = refusedOfJson(answer.body);
  return { status: answer.status, code, reason, message };
}

const NOT_VALID = {
  status: 401,
  code: "unauthenticated",
  reason: "UNAUTHENTICATED",
  message: "the admin key or token is not valid",
};

const seconds = (more: number) => Math.floor(Date.now() / 1000) + more;

/** Times in rows are seconds from when the row is run. */
function timed({ exp, nbf, ...claims }: Readonly<Record<string, unknown>>) {
  const at = (value: unknown) => (typeof value === "number" ? seconds(value) : value);
  return { ...claims, ...(exp === undefined ? {} : { exp: at(exp) }), ...(nbf === undefined ? {} : { nbf: at(nbf) }) };
}

const encoded = (part: object) => Buffer.from(JSON.stringify(part)).toString("base64url");

describe("a token", () => {
  test.each<[title: string, claims: Readonly<Record<string, unknown>>]>([
    ["of a group", { groups: ["others", "platform"] }],
    ["whose claim is the text itself", { groups: "platform" }],
    ["for several audiences", { groups: ["platform"], aud: ["another", AUDIENCE] }],
    ["that has just ended by our clock", { groups: ["platform"], exp: -2 }],
    ["with a scope among others", { scope: "openid keyward" }],
    ["with an address that is verified", { email: "bob@example.com", email_verified: true }],
  ])("%s is let in", async (_, claims) => {
    expect(await call(await issuer.token(timed(claims)))).toMatchObject({ status: 200 });
  });

  test.each<[title: string, claims: Readonly<Record<string, unknown>>]>([
    ["of a group one letter away", { groups: ["platforn"] }],
    ["of a group in another case", { groups: ["Platform"] }],
    ["whose group is part of a text", { groups: "platform others" }],
    ["without groups", {}],
    ["whose group is a number", { groups: [1] }],
    ["for another audience", { groups: ["platform"], aud: `${AUDIENCE}2` }],
    ["for nobody", { groups: ["platform"], aud: null }],
    ["of another issuer", { groups: ["platform"], iss: "http://127.0.0.1:1" }],
    ["of the issuer with a slash more", { groups: ["platform"], iss: "SLASH" }],
    ["without issuer", { groups: ["platform"], iss: null }],
    ["that has ended", { groups: ["platform"], exp: -10 }],
    ["without an end", { groups: ["platform"], exp: null }],
    ["that has yet to begin", { groups: ["platform"], nbf: 60 }],
    ["without a subject", { groups: ["platform"], sub: null }],
    ["with an empty subject", { groups: ["platform"], sub: "" }],
    ["with a subject of several lines", { groups: ["platform"], sub: "alice\nbob" }],
    ["with a subject of 256 characters", { groups: ["platform"], sub: "a".repeat(256) }],
    ["with a scope that only begins so", { scope: "openid keyward2" }],
    ["with an address of which nothing is said", { email: "bob@example.com" }],
    ["with an address that is not verified", { email: "bob@example.com", email_verified: false }],
    ["with an address that is said to be verified", { email: "bob@example.com", email_verified: "true" }],
  ])("%s is not valid", async (_, claims) => {
    const named = claims.iss === "SLASH" ? { ...claims, iss: `${issuer.url}/` } : timed(claims);
    expect(await call(await issuer.token(named))).toEqual(NOT_VALID);
  });

  test.each<[title: string, made: (good: string) => Promise<string> | string]>([
    ["without kid", () => issuer.token({ groups: "platform" }, { kid: undefined })],
    ["with a kid that nobody has published", () => issuer.token({ groups: "platform" }, { kid: "k0" })],
    ["with alg none", (good) => `${encoded({ alg: "none", kid: "k1" })}.${good.split(".")[1]}.`],
    [
      "with alg none and a signature",
      (good) => `${encoded({ alg: "none", kid: "k1" })}.${good.split(".").slice(1).join(".")}`,
    ],
    [
      "signed with the public key as a shared one",
      async (good) => {
        const { keys } = (await (await fetch(`${issuer.url}/keys`)).json()) as { keys: object[] };
        const signed = `${encoded({ alg: "HS256", kid: "k1" })}.${good.split(".")[1]}`;
        return `${signed}.${createHmac("sha256", JSON.stringify(keys[0])).update(signed).digest("base64url")}`;
      },
    ],
    ["with another last character", (good) => good.slice(0, -3) + (good.at(-3) === "A" ? "B" : "A") + good.slice(-2)],
    [
      "with other claims under its signature",
      async (good) => {
        const [header, , signature] = good.split(".");
        const [, payload] = (await issuer.token({ groups: "platform", sub: "bob" })).split(".");
        return `${header}.${payload}.${signature}`;
      },
    ],
    ["cut", (good) => good.slice(0, good.lastIndexOf("."))],
    ["with a part more", (good) => `${good}.x`],
    ["twice", (good) => `${good}, Bearer ${good}`],
    ["that only looks like one", () => "x.y.z"],
    ["that Keyward could have signed", () => `${encoded({ kid: "kwsk_1", alg: "ES256" })}.${encoded({})}.AAAA`],
  ])("%s is not valid", async (_, made) => {
    const good = await issuer.token({ groups: ["platform"] });
    expect(await call(good)).toMatchObject({ status: 200 });
    expect(await call(await made(good))).toEqual(NOT_VALID);
  });

  test("gives the admin scopes of the first entry that fits, and no others", async () => {
    const auditor = await issuer.token({ realm_access: { roles: ["auditor"] }, department: "security" });
    expect(await call(auditor, "AuditService/ListEvents")).toMatchObject({ status: 200 });
    expect(await call(auditor)).toMatchObject({ status: 403, reason: "MISSING_SCOPE" });
    const half = await issuer.token({ realm_access: { roles: ["auditor"] }, department: "sales" });
    expect(await call(half, "AuditService/ListEvents")).toEqual(NOT_VALID);
  });

  test("is bound to the tenant that its claim names, and is nobody's where that names none", async () => {
    const acme = await issuer.token({ groups: ["tenants"], org: "acme" });
    const made = await call(acme, "KeyService/CreateKey", { name: "x" });
    expect(made.answer.key).toMatchObject({ tenant: "acme", createdBy: "oidc:alice" });
    expect(await call(acme, "KeyService/CreateKey", { name: "x", tenant: "globex" })).toMatchObject({
      reason: "OTHER_TENANT",
    });
    const globex = await issuer.token({ groups: ["tenants"], org: "globex" });
    expect(await call(globex, "KeyService/GetKey", { key: made.answer.key.id })).toMatchObject({ status: 404 });
    for (const org of [undefined, "", "Acme", ["acme"], "a/b", null]) {
      expect(await call(await issuer.token({ groups: ["tenants"], org }))).toEqual(NOT_VALID);
    }
  });

  test("stands in the audit trail by its subject", async () => {
    const token = await issuer.token({ groups: ["platform"], sub: "carol@example.com" });
    const { answer } = await call(token, "KeyService/CreateKey", { name: "x" });
    const filter = `actor = "oidc:carol@example.com"`;
    const listed = await call(token, "AuditService/ListEvents", { filter });
    expect(listed.answer.events).toHaveLength(1);
    expect(listed.answer.events[0]).toMatchObject({ actor: "oidc:carol@example.com", target: answer.key.id });
  });

  test("opens nothing where no issuer is configured", async () => {
    const other = await keywardForThisTest();
    const token = await issuer.token({ groups: ["platform"] });
    expect(await call(token, "KeyService/ListKeys", {}, other)).toEqual({
      ...NOT_VALID,
      message: "the admin key is not valid",
    });
  });
});

describe("the keys of the issuer", () => {
  /** An issuer and a Keyward of its own, whose memory of keys is empty. */
  async function pair() {
    const own = await startIssuer();
    onTestFinished(() => own.stop());
    const served = await keywardForThisTest({ config: configOf(own.url) });
    const ask = async (claims: object = {}, header: object = {}) =>
      call(await own.token({ groups: ["platform"], ...claims }, { ...header }), "KeyService/ListKeys", {}, served);
    return { own, served, ask };
  }

  test("are fetched once for many tokens", async () => {
    const { own, ask } = await pair();
    for (let index = 0; index < 5; index++) expect(await ask()).toMatchObject({ status: 200 });
    expect(own.asked).toEqual(
      new Map([
        ["/.well-known/openid-configuration", 1],
        ["/keys", 1],
      ]),
    );
  });

  test("are not fetched again at once, however many key ids are made up", async () => {
    const { own, ask } = await pair();
    expect(await ask()).toMatchObject({ status: 200 });
    for (let index = 0; index < 5; index++) expect(await ask({}, { kid: randomUUID() })).toEqual(NOT_VALID);
    expect(own.asked.get("/keys")).toBe(1);
    // The key is good, and taken as soon as the keys may be fetched again.
    await own.addKey("k2", "RS256");
    expect(await ask({}, { kid: "k2" })).toEqual(NOT_VALID);
  });

  test.each<[title: string, answer: Issuer["answer"]]>([
    ["are not there", () => ({ status: 500, body: "{}" })],
    ["are at a place that is not safe", (path) => (path === "/keys" ? undefined : { body: "JWKS_URI" })],
    [
      "are those of another issuer",
      (path) => (path === "/keys" ? undefined : { body: '{"issuer":"http://127.0.0.1:1"}' }),
    ],
    ["are no JSON", () => ({ body: "<html>" })],
    ["are too many", (path) => (path === "/keys" ? { body: `{"keys":[],"x":"${"x".repeat(300_000)}"}` } : undefined)],
  ])("that %s let nobody in, and admin keys are as good as ever", async (_, answer) => {
    const { own, served, ask } = await pair();
    const unsafe = JSON.stringify({ issuer: own.url, jwks_uri: "http://keys.example.com/" });
    own.answer = (path) => {
      const said = answer(path);
      return said?.body === "JWKS_URI" ? { body: unsafe } : said;
    };
    const unavailable = { status: 503, code: "unavailable", reason: "ISSUER_UNAVAILABLE" };
    expect(await ask()).toMatchObject(unavailable);
    expect(await ask()).toMatchObject(unavailable);
    const asked = [...own.asked.values()].reduce((sum, count) => sum + count, 0);
    expect(asked).toBeLessThanOrEqual(2);
    const made = await served.cli("admin-keys", "create", "--name", "x", "-q");
    expect(await call(made.stdout.trim(), "KeyService/ListKeys", {}, served)).toMatchObject({ status: 200 });
  });

  test("may stand at a place that the configuration names", async () => {
    const own = await startIssuer();
    onTestFinished(() => own.stop());
    const config = configOf(own.url).replace("clock_tolerance", `jwks_url: "${own.url}/keys", clock_tolerance`);
    const served = await keywardForThisTest({ config });
    const token = await own.token({ groups: ["platform"] });
    expect(await call(token, "KeyService/ListKeys", {}, served)).toMatchObject({ status: 200 });
    expect(own.asked).toEqual(new Map([["/keys", 1]]));
  });
});

test("who watches by a token is refused once a reload takes away what they may, and by no other reload", async () => {
  const config = configOf(issuer.url);
  const served = await keywardForThisTest({ config });
  const options = http2Options(served.admin);
  onTestFinished(() => options.sessionManager.abort());
  const headers = { authorization: `Bearer ${await issuer.token({ groups: ["platform"] })}` };
  const client = createClient(AuditService, createGrpcTransport(options));
  const watch = client.watchEvents({}, { headers })[Symbol.asyncIterator]();
  const reload = (text: string, times: number) => {
    writeFileSync(join(served.folder, "keyward.yaml"), text);
    process.kill(served.pid, "SIGHUP");
    return until("it is in effect", () => served.log().split('"msg":"reloaded"').length > times);
  };
  expect((await watch.next()).value?.event).toBe(undefined);

  await reload(`${config}\nrealm: other\n`, 1);
  await served.cli("keys", "create", "--name", "x");
  expect((await watch.next()).value?.event).toMatchObject({ action: "keys.create" });

  await reload(config.replace("groups: platform", "groups: platform2"), 2);
  const refusal = await watch.next().then(() => "not refused", refusedOfConnect);
  const message = "the configuration of admin_identities or oidc has changed; log in again";
  expect(refusal).toMatchObject({ code: "unauthenticated", message });
});

test("failed logins are counted by why, and one line tells the last of them without what was presented", async () => {
  const served = await keywardForThisTest({ config: configOf(issuer.url) });
  const expired = await issuer.token({ groups: ["platform"], exp: seconds(-100) });
  await call(expired, "KeyService/ListKeys", {}, served);
  await call("kwadm_x", "KeyService/ListKeys", {}, served);
  await call("%", "KeyService/ListKeys", {}, served);
  await sendHttp1(served.admin, { path: "/keyward.admin.v1.KeyService/ListKeys", headers: {}, body: "{}" });
  const samples = readMetrics(await (await fetch(`http://${served.ops}/metrics`)).text());
  expect(byLabel(samples, "keyward_admin_login_failures_total", "reason")).toEqual(
    new Map([
      ["none", 0],
      ["malformed", 1],
      ["admin_key", 1],
      ["token", 1],
      ["issuer_unavailable", 0],
      ["throttled", 0],
    ]),
  );
  await logged(served, "admin_login_failed");
  const lines = served
    .log()
    .split("\n")
    .filter((line) => line.includes("admin_login_failed"));
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({
    token: 1,
    admin_key: 1,
    malformed: 1,
    address: expect.stringMatching(/^127\.0\.1\./),
  });
});

test("the log says why a token was refused", async () => {
  const served = await keywardForThisTest({ config: configOf(issuer.url) });
  await call(await issuer.token({ groups: ["platform"], aud: "another" }), "KeyService/ListKeys", {}, served);
  await logged(served, '"detail":"ERR_JWT_CLAIM_VALIDATION_FAILED aud"');
});
