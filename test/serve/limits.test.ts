import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { adminCall, createKey } from "../support/admin-call.ts";
import { type CheckClient, createCheckClient } from "../support/check-client.ts";
import { type Described, describeRequest } from "../support/check-request.ts";
import { type Keyward, startKeyward } from "../support/keyward.ts";

/** A Keyward for the tests of a block, and a check over its gRPC port that presents a secret. */
function served(config: string) {
  let keyward: Keyward;
  let client: CheckClient;
  beforeAll(async () => {
    keyward = await startKeyward({ config });
    client = createCheckClient(keyward.authz);
  });
  afterAll(async () => {
    client.close();
    await keyward.stop();
  });
  const checkOf = (secret: string, request: Described) => {
    const headers = [...(request.headers ?? []), ["authorization", `Bearer ${secret}`] as const];
    return client.checkBytes(describeRequest({ ...request, headers }));
  };
  return {
    checkOf,
    reasonOf: async (secret: string, request: Described) => (await checkOf(secret, request)).reason,
    make: (key: object) => createKey(keyward.adminSocket, { ...key }),
    call: <Answer>(method: string, request: object) =>
      adminCall<Answer>(keyward.adminSocket, `KeyService/${method}`, request),
  };
}

describe("a key's limits, at the connection's own address", () => {
  const { reasonOf, checkOf, make, call } = served("");

  test.each<[title: string, key: object, inside: Described, outside: Described, reason: string]>([
    [
      "an IPv4 network",
      { cidrs: ["10.0.0.0/8"] },
      { sourceAddress: "10.255.255.255" },
      { sourceAddress: "11.255.255.255" },
      "address_not_allowed",
    ],
    [
      "an IPv6 network",
      { cidrs: ["2001:db8::/32"] },
      { sourceAddress: "2001:db8:ffff::1" },
      { sourceAddress: "2001:db9:ffff::1" },
      "address_not_allowed",
    ],
    [
      "an IPv4 network and a peer of mapped address",
      { cidrs: ["10.0.0.0/8"] },
      { sourceAddress: "::ffff:10.1.2.3" },
      { sourceAddress: "::ffff:11.1.2.3" },
      "address_not_allowed",
    ],
    [
      "an address that is not known",
      { cidrs: ["0.0.0.0/0", "::/0"] },
      { sourceAddress: "::1" },
      {},
      "address_not_allowed",
    ],
    [
      "an address in a header that nobody trusts",
      { cidrs: ["10.0.0.0/8"] },
      { sourceAddress: "10.0.0.1", headers: [["x-forwarded-for", "11.0.0.1"]] },
      { sourceAddress: "11.0.0.1", headers: [["x-forwarded-for", "10.0.0.1, 10.0.0.1"]] },
      "address_not_allowed",
    ],
    ["a method", { methods: ["GET"] }, { method: "GET" }, { method: "POST" }, "method_not_allowed"],
    ["two methods", { methods: ["GET", "PUT"] }, { method: "PUT" }, { method: "PUTX" }, "method_not_allowed"],
    ["a path", { paths: ["/v1"] }, { path: "/v1/x" }, { path: "/v10/x" }, "path_not_allowed"],
    [
      "a method before a path",
      { methods: ["GET"], paths: ["/v1"] },
      { path: "/v1" },
      { method: "POST", path: "/v2" },
      "method_not_allowed",
    ],
    [
      "an address before a method",
      { cidrs: ["10.0.0.0/8"], methods: ["GET"] },
      { sourceAddress: "10.0.0.1" },
      { sourceAddress: "11.0.0.1", method: "POST" },
      "address_not_allowed",
    ],
  ])("%s opens inside, and not outside", async (_, key, inside, outside, reason) => {
    const { secret } = await make(key);
    expect([await reasonOf(secret, inside), await reasonOf(secret, outside)]).toEqual(["allowed", reason]);
    expect(await checkOf(secret, outside)).toMatchObject({ answer: "denied", code: 7, status: 403 });
  });

  test("a key without networks opens from an address that is not known", async () => {
    const { secret } = await make({});
    expect(await reasonOf(secret, {})).toBe("allowed");
  });

  test("are those of the last update at the very next check", async () => {
    const { id, secret } = await make({ methods: ["GET"] });
    expect(await reasonOf(secret, { method: "POST" })).toBe("method_not_allowed");
    await call("UpdateKey", { key: id, updateMask: "methods", methods: ["POST"] });
    expect(await reasonOf(secret, { method: "POST" })).toBe("allowed");
    expect(await reasonOf(secret, { method: "GET" })).toBe("method_not_allowed");
    await call("UpdateKey", { key: id, updateMask: "cidrs", cidrs: ["10.0.0.0/8"] });
    expect(await reasonOf(secret, { method: "POST", sourceAddress: "11.0.0.1" })).toBe("address_not_allowed");
  });

  test("a key is refused from the check after DisableKey on, and opens from the one after EnableKey", async () => {
    const { id, secret } = await make({});
    const reasons = [await reasonOf(secret, {})];
    await call("DisableKey", { key: id });
    reasons.push(await reasonOf(secret, {}));
    await call("EnableKey", { key: id });
    reasons.push(await reasonOf(secret, {}));
    expect(reasons).toEqual(["allowed", "key_disabled", "allowed"]);
  });

  test.each([
    ["with a grace period", "60s", "allowed"],
    ["without one", "0s", "key_revoked"],
  ])("a rotated key %s does what it says, and the successor opens", async (_, grace, reason) => {
    const { id, secret } = await make({ paths: ["/v1"] });
    expect(await reasonOf(secret, { path: "/v1" })).toBe("allowed");
    const { secret: successor } = await call<{ secret: string }>("RotateKey", { key: id, grace });
    expect(await reasonOf(secret, { path: "/v1" })).toBe(reason);
    expect(await reasonOf(successor, { path: "/v1" })).toBe("allowed");
    expect(await reasonOf(successor, { path: "/v10" })).toBe("path_not_allowed");
  });
});

describe("behind one trusted proxy", () => {
  const { reasonOf, make } = served("client_address: { trusted_hops: 1 }");
  const forwarded = (...values: string[]): Described => ({
    sourceAddress: "10.9.9.9",
    headers: values.map((value) => ["x-forwarded-for", value] as const),
  });

  test.each<[title: string, request: Described, reason: string]>([
    ["the client before the proxy is inside", forwarded("10.0.0.1, 192.0.2.1"), "allowed"],
    ["the client before the proxy is outside", forwarded("11.0.0.1, 192.0.2.1"), "address_not_allowed"],
    [
      "what the client says of itself does not count",
      forwarded("10.0.0.1, 11.0.0.1, 192.0.2.1"),
      "address_not_allowed",
    ],
    ["what the client says of itself does no harm", forwarded("11.0.0.1, 10.0.0.1, 192.0.2.1"), "allowed"],
    ["the entries of two headers are one list", forwarded("10.0.0.1", "192.0.2.1"), "allowed"],
    ["in their order", forwarded("192.0.2.1", "10.0.0.1"), "address_not_allowed"],
    ["fewer entries than hops are no address", forwarded("10.0.0.1"), "address_not_allowed"],
    ["no header is no address, wherever the connection comes from", forwarded(), "address_not_allowed"],
    ["an empty entry is no address", forwarded("10.0.0.1,,192.0.2.1"), "address_not_allowed"],
    ["a mapped address is inside", forwarded("::ffff:10.0.0.1, 192.0.2.1"), "allowed"],
    ["a mapped address is outside", forwarded("::ffff:11.0.0.1, 192.0.2.1"), "address_not_allowed"],
    ["an address with a port is none", forwarded("10.0.0.1:80, 192.0.2.1"), "address_not_allowed"],
    ["in a map of headers as well", { ...forwarded("10.0.0.1, 192.0.2.1"), form: "headers" }, "allowed"],
    ["in a map of headers, outside", { ...forwarded("11.0.0.1, 192.0.2.1"), form: "headers" }, "address_not_allowed"],
  ])("%s", async (_, request, reason) => {
    const { secret } = await make({ cidrs: ["10.0.0.0/8"] });
    expect(await reasonOf(secret, request)).toBe(reason);
  });
});

describe("scopes that imply others", () => {
  const { checkOf, reasonOf, make } = served(`
scopes:
  "api:write": { implies: ["api:read"] }
  "api:read": {}
  "admin:all": { implies: ["*"] }
routes:
  - { path: /read, scopes: ["api:read"] }
  - { path: /write, scopes: ["api:write"] }
`);

  test.each<[scope: string, read: string, write: string]>([
    ["api:read", "allowed", "insufficient_scope"],
    ["api:write", "allowed", "allowed"],
    ["admin:all", "allowed", "allowed"],
    ["api:*", "allowed", "allowed"],
  ])("%s opens what it implies", async (scope, read, write) => {
    const { secret } = await make({ scopes: [scope] });
    expect([await reasonOf(secret, { path: "/read" }), await reasonOf(secret, { path: "/write" })]).toEqual([
      read,
      write,
    ]);
  });

  test("a denial tells what is required and what the key has, as it was given", async () => {
    const { secret } = await make({ scopes: ["api:read"] });
    const { body, status } = await checkOf(secret, { path: "/write" });
    expect([status, JSON.parse(body)]).toMatchObject([403, { required: ["api:write"], provided: ["api:read"] }]);
  });
});
