import { describe, expect, test } from "vitest";
import { secretOf, tokenOf } from "../support/sample-keys.ts";
import { serveOnce } from "./support/served.ts";

const served = serveOnce({
  config: `
tenants:
  acme: { grantable_scopes: ["*"] }
routes:
  - { path: /vip, tenant: globex }
  - { path: "/t/{tenant}", tenant: "{tenant}" }
  - { path: "/p/{p}", owner: "project/{p}" }
  - { path: "/any/{p}", owner: "project/{p}", tenant: "*" }
  - { path: "/**", access: authenticated }
`,
});

interface Step {
  name: string;
  state: string;
  required?: string;
  present?: string;
  sentence: string;
}

const EXPLAIN = "KeyService/ExplainCheck";

async function make(fields: object = {}): Promise<{ id: string; start: string; secret: string }> {
  const { answer } = await served().post("KeyService/CreateKey", { name: "k", ...fields });
  return { ...(answer.key as { id: string; start: string }), secret: String(answer.secret) };
}

async function explain(question: object) {
  const { answer } = await served().post(EXPLAIN, { method: "GET", path: "/x", ...question });
  const steps = answer.steps as unknown as Step[];
  return { ...answer, steps, step: (name: string) => steps.find((step) => step.name === name) };
}

test.each<[string, (key: { id: string; start: string; secret: string }) => object]>([
  ["id", ({ id }) => ({ key: id })],
  ["start", ({ start }) => ({ key: start })],
  ["first eight characters", ({ start }) => ({ key: start.slice(-8) })],
  ["secret", ({ secret }) => ({ key: secret })],
  ["secret, as what was presented", ({ secret }) => ({ key: secret, presented: true })],
])("a key is explained by its %s", async (_, question) => {
  const key = await make();
  expect(await explain(question(key))).toMatchObject({ allowed: true, reason: "allowed", key: { id: key.id } });
});

test.each<[string, object, string]>([
  ["a start as what was presented", { presented: true, key: "kw_4fGh12Kq" }, "malformed_credential"],
  ["a whole key that nobody has", { key: secretOf("nobody's") }, "unknown_key"],
  ["an admin key that nobody has", { key: secretOf("nobody's", "kwadm") }, "unknown_key"],
  ["a token that nobody has", { key: tokenOf("nobody's") }, "unknown_key"],
  ["no key", {}, "no_credential"],
])("%s is explained by its reason, without a record", async (_, question, reason) => {
  const answer = await explain(question);
  expect(answer).toMatchObject({ reason, httpStatus: 401 });
  expect(answer).not.toHaveProperty("key");
});

test.each(["key_nobody", "kw_4fGh12Kq", "4fGh12Kq", "x"])("a name that no key has is not found: %s", async (key) => {
  const { status, refused } = await served().post(EXPLAIN, { key, method: "GET", path: "/" });
  expect([status, refused?.reason]).toEqual([404, "KEY_NOT_FOUND"]);
});

describe("what breaks a bound is refused by its field:", () => {
  test.each<[field: string, body: object]>([
    ["method", { method: "" }],
    ["method", { method: "G".repeat(101) }],
    ["path", { path: "" }],
    ["path", { path: `/${"x".repeat(8_192)}` }],
    ["path", { path: `/${secretOf("pasted")}` }],
    ["host", { host: "h".repeat(1_001) }],
    ["ip", { ip: "10.0.0" }],
    ["ip", { ip: "fe80::1%eth0" }],
    ["at", { at: "1969-12-31T23:59:59Z" }],
    ["key", { key: "k".repeat(8_193) }],
    ["context_extensions", { contextExtensions: { "keyward.scopes": "s".repeat(1_001) } }],
    [
      "context_extensions",
      { contextExtensions: Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`x${index}`, "y"])) },
    ],
  ])("%s of %j", async (field, body) => {
    const { status, refused } = await served().post(EXPLAIN, { method: "GET", path: "/", ...body });
    expect([status, refused?.fields]).toEqual([400, [field]]);
  });

  test.each<[string, object]>([
    ["a path", { path: `/${"x".repeat(8_191)}` }],
    ["a host", { host: "h".repeat(1_000) }],
    ["an address", { ip: "2001:db8::1" }],
    ["a time", { at: "1970-01-01T00:00:00Z" }],
  ])("%s at its bound is judged", async (_, body) => {
    expect(await served().post(EXPLAIN, { method: "GET", path: "/", ...body })).toMatchObject({ status: 200 });
  });
});

test("an entry of context_extensions that is not ours is passed over, as in a check", async () => {
  const { id } = await make();
  expect(await explain({ key: id, contextExtensions: { other: "x" } })).toMatchObject({ route: "/**" });
  expect(await explain({ key: id, contextExtensions: { "Keyward.other": "x" } })).toMatchObject({
    reason: "misconfigured_route",
  });
});

test.each<[string, object, string, string, string, string]>([
  ["/t/acme", { tenant: "acme" }, "of this tenant", "PASSED", "the tenant acme", "the tenant acme"],
  ["/t/acmf", { tenant: "acme" }, "of this tenant", "FAILED", "the tenant acmf", "the tenant acme"],
  ["/t/acme", {}, "of this tenant", "FAILED", "the tenant acme", "no tenant"],
  ["/any/a", { tenant: "acme", owner: "project/a" }, "of this tenant", "PASSED", "any tenant", "the tenant acme"],
  ["/x", { owner: "project/a" }, "of this owner", "PASSED", "any owner", "the owner project/a"],
  [
    "/p/a",
    { owner: "project/a" },
    "of this owner",
    "PASSED",
    "the owner project/a that has no tenant",
    "the owner project/a",
  ],
  [
    "/p/a",
    { owner: "project/a", tenant: "acme" },
    "of this owner",
    "FAILED",
    "the owner project/a that has no tenant",
    "the owner project/a in the tenant acme",
  ],
  [
    "/any/b",
    { owner: "project/a", tenant: "acme" },
    "of this owner",
    "FAILED",
    "the owner project/b",
    "the owner project/a in the tenant acme",
  ],
])("whose key is asked for at %s is told beside whose %j is", async (path, fields, name, state, required, present) => {
  const { id } = await make(fields);
  const { step } = await explain({ key: id, path });
  expect(step(name)).toMatchObject({ state: `CHECK_STEP_STATE_${state}`, required, present });
});

describe("to an admin of a tenant", () => {
  const refusedBy = async (path: string) => {
    const { answer: admin } = await served().post("AdminKeyService/CreateAdminKey", { name: "a", tenant: "acme" });
    const { id } = await make({ tenant: "acme" });
    const question = { key: id, method: "GET", path };
    const { call } = served().network;
    const { KeyService } = await import("../../src/gen/keyward/admin/v1/key_service_pb.ts");
    const bound = await call(KeyService.method.explainCheck, question, String(admin.secret));
    const free = await served().local.call(KeyService.method.explainCheck, question);
    const told = ({ steps }: typeof free) => steps.find(({ name }) => name === "of this tenant")?.required;
    return { reason: bound.reason, bound: told(bound), free: told(free), text: JSON.stringify(bound.steps) };
  };

  test("the name of another tenant is not told where the path does not tell it", async () => {
    const { text, ...told } = await refusedBy("/vip");
    expect(told).toEqual({ reason: "tenant_mismatch", bound: "another tenant", free: "the tenant globex" });
    expect(text).not.toContain("globex");
  });

  test("what the path itself names is told", async () => {
    expect(await refusedBy("/t/acmf")).toMatchObject({
      reason: "tenant_mismatch",
      bound: "the tenant acmf",
      free: "the tenant acmf",
    });
  });
});

test("a rate limit is told and not counted", async () => {
  const key = await make({ rateLimit: { requests: 2, window: "3600s" } });
  const present = async () => (await explain({ key: key.id })).step("rate limit")?.present;
  expect([await present(), await present()]).toEqual(["1 more after this one", "1 more after this one"]);
  for (let uses = 0; uses < 2; uses++) {
    const { answer } = await served().post("KeyService/VerifyKey", { key: key.secret });
    expect(answer).toMatchObject({ valid: true });
  }
  const used = await explain({ key: key.id });
  expect(used).toMatchObject({ reason: "rate_limited", httpStatus: 429 });
  expect(used.step("rate limit")).toMatchObject({ required: "2 in 1h", present: "used up for 1800 s" });
});
