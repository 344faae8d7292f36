import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ClientAnswer, ClientRequest } from "../e2e/support/client.ts";
import { adminCall, createKey } from "../support/admin-call.ts";
import { secretOf } from "../support/sample-keys.ts";
import { GATEWAY_NAMES, startWorld, type World } from "./support/world.ts";

const CONFIG = `
credentials:
  - { from: bearer }
  - { from: header, name: x-api-key }
  - { from: cookie, name: api_key }
routes:
  - { path: /open, access: public }
  - { path: /v1/orders, methods: [GET, HEAD, POST], scopes: [orders:read] }
  - { path: "/host/**", host: other.test, access: public }
  - { path: "/**", access: authenticated }
`;

let world: World;
let full: { id: string; secret: string };
let plain: { id: string; secret: string };

beforeAll(async () => {
  world = await startWorld({ config: CONFIG });
  const { adminSocket } = world.keyward;
  full = await createKey(adminSocket, { owner: "service/ci", tenant: "acme", scopes: ["orders:read", "x"] });
  plain = await createKey(adminSocket);
});

afterAll(() => world?.stop());

/** What the upstream was told of who calls, whatever the spelling; decision and reason are nobody's claim. */
function identityIn({ seen }: ClientAnswer): Record<string, unknown> {
  const entries = Object.entries(seen?.headers ?? { keyward: "the upstream was not asked" });
  const claims = entries.filter(([name]) => /keyward/i.test(name) && !/^x-keyward-(decision-id|reason)$/.test(name));
  return Object.fromEntries(claims.filter(([, value]) => value !== ""));
}

const FULL = { "x-keyward-owner": "service/ci", "x-keyward-tenant": "acme", "x-keyward-scopes": "orders:read x" };

/** What a client may send to be taken for somebody. */
const SPOOFED = [
  ["x-keyward-key-id", "key_evil"],
  ["X-Keyward-Owner", "user/evil"],
  ["x-keyward-tenant", "evil"],
  ["x-keyward-tenant", "worse"],
  ["x-keyward-scopes", "admin:all"],
] as const;

/** The same in spellings that many back ends read as the same. Envoy answers those with an underscore with 400 itself. */
const ALIASES = ["x_keyward_owner", "X_KEYWARD_TENANT", "x-keyward_scopes", "x_keyward-key-id", "x_keyward_key_id"];

/** What a client may send to have another request judged than its own. */
const MISLEADING = [
  ["x-original-method", "GET"],
  ["x-original-uri", "/open"],
  ["x-original-url", "http://api.test/open"],
  ["x-forwarded-method", "GET"],
  ["x-forwarded-uri", "/open"],
  ["x-forwarded-host", "other.test"],
  ["x-forwarded-prefix", "/open"],
  ["x-envoy-original-path", "/open"],
] as const;

describe.each(GATEWAY_NAMES)("behind %s", (gateway) => {
  const isIngress = gateway === "ingress-nginx";
  const send = (request: ClientRequest) => world.send(gateway, request);
  /** ingress-nginx cannot say more than 401 and 403, nor the reason. */
  const refusal = (status: number, reason: string) =>
    isIngress ? { status: status === 401 ? 401 : 403 } : { status, reason };

  test.each(["GET", "HEAD", "POST"])("%s with a key that may is let through", async (method) => {
    const answer = await send({ method, path: "/v1/orders?page=2&a=b,c", secret: full.secret });
    expect(answer.status).toBe(200);
    expect(answer.reason).toBeUndefined();
  });

  test("the upstream is told whose key it was, and never the key", async () => {
    const answer = await send({ path: "/v1/orders?page=2", secret: full.secret });
    expect(identityIn(answer)).toEqual({ "x-keyward-key-id": full.id, ...FULL });
    expect(answer.seen).toMatchObject({ method: "GET", path: "/v1/orders?page=2" });
    expect(JSON.stringify(answer.seen)).not.toContain(full.secret);
    const inHeader = await send({ path: "/v1/orders", headers: [["x-api-key", full.secret]] });
    expect(identityIn(inHeader)).toEqual({ "x-keyward-key-id": full.id, ...FULL });
    expect(JSON.stringify(inHeader.seen)).not.toContain(full.secret);
  });

  test("what a client claims to be is replaced, and removed where it does not apply", async () => {
    const known = await send({ path: "/v1/x", secret: full.secret, headers: SPOOFED });
    expect(identityIn(known)).toEqual({ "x-keyward-key-id": full.id, ...FULL });
    const bare = await send({ path: "/v1/x", secret: plain.secret, headers: SPOOFED });
    expect(identityIn(bare)).toEqual({ "x-keyward-key-id": plain.id });
    expect(identityIn(await send({ path: "/open", headers: SPOOFED }))).toEqual({});
  });

  test.each(ALIASES)("%s tells the upstream nothing", async (alias) => {
    const answer = await send({ path: "/v1/x", secret: plain.secret, headers: [[alias, "evil"]] });
    expect(answer.status).toBe(gateway === "envoy" ? 400 : 200);
    expect(JSON.stringify(answer.seen ?? {})).not.toContain("evil");
  });

  test("x.keyward.owner tells the upstream nothing", async () => {
    const answer = await send({ path: "/v1/x", secret: plain.secret, headers: [["x.keyward.owner", "evil"]] });
    expect(identityIn(answer)).toEqual({ "x-keyward-key-id": plain.id });
  });

  test("401 without a key, and with one that nobody knows", async () => {
    const none = await send({ path: "/v1/orders" });
    expect(none).toMatchObject(refusal(401, "no_credential"));
    expect(none.headers["www-authenticate"]).toBe('Bearer realm="keyward"');
    expect(none.seen).toBeUndefined();
    expect(await send({ path: "/v1/orders", secret: secretOf("x") })).toMatchObject(refusal(401, "unknown_key"));
  });

  test("403 without the scope, and 200 one path beside", async () => {
    expect(await send({ path: "/v1/orders", secret: plain.secret })).toMatchObject(refusal(403, "insufficient_scope"));
    expect((await send({ path: "/v1/orderz", secret: plain.secret })).status).toBe(200);
  });

  test("429 once the rate limit is used up, with the time to wait", async () => {
    const limited = await createKey(world.keyward.adminSocket, { rateLimit: { requests: 1, window: "2678400s" } });
    const first = await send({ path: "/v1/x", secret: limited.secret });
    expect(first.status).toBe(200);
    // These have no way to tell the client something beside the upstream's own answer.
    const isTold = ["envoy", "nginx", "haproxy"].includes(gateway);
    expect(first.headers.ratelimit).toBe(isTold ? '"key";r=0;t=2678400' : undefined);
    const second = await send({ path: "/v1/x", secret: limited.secret });
    expect(second).toMatchObject(refusal(429, "rate_limited"));
    expect(second.headers["retry-after"]).toBe(isIngress ? undefined : "2678400");
  });

  test("400 for a key in two places that differ", async () => {
    const headers = [["x-api-key", plain.secret]] as const;
    expect(await send({ path: "/v1/x", secret: full.secret, headers })).toMatchObject(
      refusal(400, "ambiguous_credential"),
    );
    expect((await send({ path: "/v1/x", secret: plain.secret, headers })).status).toBe(200);
  });

  test.each(["/v1%2forders", "/v1%5corders", "/open%2f..%2fv1/orders", "/v1/orders;a=b", "/v1/orders%00"])(
    "%s is refused, with any key",
    async (path) => {
      const answer = await send({ path, secret: full.secret });
      expect([400, 403]).toContain(answer.status);
      expect(answer.seen).toBeUndefined();
    },
  );

  test.each(["/open/../v1/orders", "//v1/orders", "/v1//orders", "/v1/%6Frders", "/V1/Orders/", "/v1/./orders"])(
    "%s without the scope does not reach the upstream",
    async (path) => {
      expect((await send({ path, secret: plain.secret })).seen).toBeUndefined();
    },
  );

  test("headers that tell of another request have none judged but the client's own", async () => {
    const refused = await send({ path: "/v1/orders", secret: plain.secret, headers: MISLEADING });
    expect(refused).toMatchObject(refusal(403, "insufficient_scope"));
    const twice = MISLEADING.flatMap((header) => [header, header]);
    expect((await send({ path: "/v1/orders", headers: twice })).status).toBe(401);
    expect((await send({ path: "/host/x", headers: MISLEADING })).status).toBe(401);
    expect((await send({ path: "/v1/orders", secret: full.secret, headers: MISLEADING })).status).toBe(200);
  });

  test.each([
    ["a second host", [["host", "other.test"]]],
    ["no other host", []],
    ["an original host", [["x-original-host", "other.test"]]],
  ] as const)("%s does not open what is open on that host", async (_, headers) => {
    const answer = await send({ path: "/host/x", headers });
    expect([400, 401, 403]).toContain(answer.status);
    expect(answer.seen).toBeUndefined();
  });

  test.each([
    ["http://other.test/host/x", 200],
    ["http://api.test/host/x", "refused"],
  ] as const)("what is open on a host is at %s, with that host in a header: %s", async (path, expected) => {
    const { status, seen } = await send({ path, host: "other.test" });
    expect(seen === undefined ? "refused" : status).toBe(expected);
  });

  test("a revoked key is refused by the next request", async () => {
    const own = await createKey(world.keyward.adminSocket);
    expect((await send({ path: "/v1/x", secret: own.secret })).status).toBe(200);
    await adminCall(world.keyward.adminSocket, "KeyService/RevokeKey", { key: own.id });
    expect(await send({ path: "/v1/x", secret: own.secret })).toMatchObject(refusal(401, "key_revoked"));
  });
});

test("behind envoy a cookie that holds a key goes no further, and the others do", async () => {
  const { secret } = full;
  const answer = await world.send("envoy", {
    path: "/v1/orders",
    headers: [["cookie", `a=1; api_key=${secret}; b=2`]],
  });
  expect(answer.seen?.headers.cookie).toBe("a=1; b=2");
});

// For a client on loopback Envoy writes down another address, its own.
test.each(GATEWAY_NAMES.filter((name) => name !== "envoy"))(
  "behind %s a key for one address opens from there only, whatever a client claims",
  async (gateway) => {
    const { secret } = await createKey(world.keyward.adminSocket, { cidrs: ["127.0.0.2/32"] });
    expect((await world.send(gateway, { path: "/v1/x", secret, from: "127.0.0.2" })).status).toBe(200);
    const headers = [
      ["x-forwarded-for", "127.0.0.2"],
      ["x-real-ip", "127.0.0.2"],
    ] as const;
    const refused = await world.send(gateway, { path: "/v1/x", secret, from: "127.0.0.3", headers });
    expect([refused.status, refused.seen]).toEqual([403, undefined]);
  },
);
