import { describe, expect, test } from "vitest";
import { secretOf, tokenOf } from "../support/sample-keys.ts";
import { serveOnce } from "./support/served.ts";

const served = serveOnce({
  config: `
routes:
  - { path: /open, access: public }
  - { path: /closed, access: deny }
  - { path: /hosted, host: a.test, access: authenticated }
  - { path: /orders, scopes: [orders:read, orders:all] }
  - { path: "/v1/**", access: authenticated }
`,
});

interface Made {
  id: string;
  secret: string;
}

async function make(fields: object = {}): Promise<Made> {
  const { answer } = await served().post("KeyService/CreateKey", { name: "k", ...fields });
  return { id: (answer.key as { id: string }).id, secret: String(answer.secret) };
}

async function verify(body: object) {
  const { status, answer } = await served().post("KeyService/VerifyKey", body);
  expect(status).toBe(200);
  return answer;
}

test.each<[title: string, fields: object, asked: object, reason: string]>([
  ["a plain key, of which nothing is asked", {}, {}, "allowed"],
  ["a key without the scope", { scopes: ["a"] }, { scopes: ["b"] }, "insufficient_scope"],
  ["a key with one scope of two", { scopes: ["a"] }, { scopes: ["a", "b"] }, "insufficient_scope"],
  ["a key with both scopes", { scopes: ["a", "b"] }, { scopes: ["a", "b"] }, "allowed"],
  ["a key with a wildcard over the scope", { scopes: ["a:*"] }, { scopes: ["a:b"] }, "allowed"],
  ["a key that is bound to networks", { cidrs: ["10.0.0.0/8"] }, {}, "address_not_allowed"],
  ["the same from there", { cidrs: ["10.0.0.0/8"] }, { ip: "10.1.2.3" }, "allowed"],
  ["the same from elsewhere", { cidrs: ["10.0.0.0/8"] }, { ip: "11.1.2.3" }, "address_not_allowed"],
  ["a key that is bound to methods", { methods: ["GET"] }, {}, "method_not_allowed"],
  ["the same with its method", { methods: ["GET"] }, { method: "GET" }, "allowed"],
  ["the same with another", { methods: ["GET"] }, { method: "PUT" }, "method_not_allowed"],
  ["a key that is bound to paths", { paths: ["/v1/a"] }, {}, "path_not_allowed"],
  ["a key that is bound to all paths there are", { paths: ["/"] }, {}, "path_not_allowed"],
  ["a key on its path", { paths: ["/v1/a"] }, { method: "GET", path: "/v1/a" }, "allowed"],
  ["a key on another path", { paths: ["/v1/a"] }, { method: "GET", path: "/v1/b" }, "path_not_allowed"],
  ["a key where the route asks for more", {}, { method: "GET", path: "/orders" }, "insufficient_scope"],
  ["a key with what the route asks for", { scopes: ["orders:all"] }, { method: "GET", path: "/orders" }, "allowed"],
  [
    "a key with that, and not with what is asked beside",
    { scopes: ["orders:all"] },
    { method: "GET", path: "/orders", scopes: ["b"] },
    "insufficient_scope",
  ],
  ["a key where the route is closed", {}, { method: "GET", path: "/closed" }, "route_denied"],
  ["a key where there is no route", {}, { method: "GET", path: "/nowhere" }, "route_denied"],
  ["a key on a public route", {}, { method: "GET", path: "/open" }, "allowed"],
  ["a key where the host is not named", {}, { method: "GET", path: "/hosted" }, "ambiguous_host"],
  ["a key where the host is named", {}, { method: "GET", path: "/hosted", host: "a.test" }, "allowed"],
  ["a key on an ambiguous path", {}, { method: "GET", path: "/v1/../x" }, "ambiguous_path"],
  ["a key with a method in lower case", {}, { method: "get", path: "/v1/x" }, "malformed_request"],
])("%s is judged as it should be, and told with its record", async (_, fields, asked, reason) => {
  const { id, secret } = await make(fields);
  const answer = await verify({ key: secret, ...asked });
  expect({ valid: answer.valid ?? false, ...answer }).toMatchObject({
    valid: reason === "allowed",
    reason,
    key: { id },
  });
});

describe("a key that is not good is no error", () => {
  test.each<[string, (key: Made) => string, reason: string]>([
    ["an unknown one", () => secretOf("nobody's"), "unknown_key"],
    ["an unknown token", () => tokenOf("nobody's"), "unknown_key"],
    ["a mistyped one", ({ secret }) => `${secret.slice(0, -1)}!`, "malformed_credential"],
    ["an id, which is none", ({ id }) => id, "malformed_credential"],
    ["a start, which is none", ({ secret }) => secret.slice(0, 11), "malformed_credential"],
  ])("%s is told by its reason, and nothing more is told", async (_, presented, reason) => {
    const key = await make();
    const answers = [await verify({ key: presented(key) }), await verify({ key: presented(key), scopes: ["x"] })];
    for (const answer of answers) {
      expect(answer).toEqual({ reason, httpStatus: 401, description: expect.any(String) });
    }
  });

  test("on a public route either", async () => {
    const open = { method: "GET", path: "/open" };
    expect(await verify({ key: secretOf("nobody's"), ...open })).not.toHaveProperty("valid");
    expect(await verify({ key: (await make()).secret, ...open })).toMatchObject({ valid: true });
  });

  test("a revoked one is refused by the next call, with its record", async () => {
    const { id, secret } = await make();
    expect(await verify({ key: secret })).toMatchObject({ valid: true, reason: "allowed", httpStatus: 200 });
    await served().post("KeyService/RevokeKey", { key: id });
    expect(await verify({ key: secret })).toEqual({
      reason: "key_revoked",
      httpStatus: 401,
      description: "API key has been revoked",
      key: expect.objectContaining({ id, state: "KEY_STATE_REVOKED" }),
    });
  });
});

test("what a key grants is told, cut to the list of its owner", async () => {
  await served().post("OwnerService/CreateOwner", { owner: "user/cut", scopes: ["a:*"] });
  const { secret } = await make({ owner: "user/cut", scopes: ["a:read", "b:read"] });
  expect(await verify({ key: secret })).toMatchObject({ valid: true, scopes: ["a:read"] });
  expect(await verify({ key: secret, scopes: ["b:read"] })).toMatchObject({ reason: "insufficient_scope" });
});

test("a rate limit counts what is valid, and nothing else", async () => {
  const { secret } = await make({ scopes: ["a"], rateLimit: { requests: 2, window: "3600s" } });
  const refused = [{ scopes: ["b"] }, { method: "GET", path: "/orders" }, { method: "GET", path: "/closed" }];
  for (const asked of refused) expect(await verify({ key: secret, ...asked })).not.toHaveProperty("valid");
  const uses = [await verify({ key: secret }), await verify({ key: secret, method: "GET", path: "/v1/x" })];
  expect(uses).toMatchObject([{ valid: true }, { valid: true }]);
  const used = await verify({ key: secret, scopes: ["a"] });
  expect(used).toMatchObject({ reason: "rate_limited", httpStatus: 429, retryAfterSeconds: "1800" });
  // Another reason comes first, as on the data plane.
  expect(await verify({ key: secret, scopes: ["b"] })).toMatchObject({ reason: "insufficient_scope" });
  expect(await verify({ key: secret, method: "GET", path: "/orders" })).toMatchObject({ reason: "insufficient_scope" });
});

test.each<[field: string, body: object]>([
  ["key", { key: "" }],
  ["key", { key: "k".repeat(8_193) }],
  ["method", { path: "/v1/x" }],
  ["ip", { ip: "here" }],
  ["scopes[1]", { scopes: ["a", "b c"] }],
  ["path", { method: "GET", path: `/v1/${secretOf("pasted")}` }],
])("what breaks a bound is refused: %s of %j", async (field, body) => {
  const { status, refused } = await served().post("KeyService/VerifyKey", { key: secretOf("x"), ...body });
  expect([status, refused?.fields]).toEqual([400, [field]]);
});
