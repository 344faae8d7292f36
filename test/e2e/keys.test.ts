import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { adminCall, createKey } from "../support/admin-call.ts";
import { secretOf } from "../support/sample-keys.ts";
import { until } from "../support/until.ts";
import { type ClientRequest, sendHttp1 } from "./support/client.ts";
import { type Gateway, startGateway } from "./support/gateway.ts";
import { VERSIONS } from "./support/versions.ts";

let gateway: Gateway;
let port: number;
const secrets: Record<string, string> = {};

beforeAll(async () => {
  gateway = await startGateway({
    config: `routes:
  - { path: /healthz, access: public }
  - { path: "/v1/**", methods: [GET, HEAD], scopes: [api:read] }
  - { path: "/v1/**", scopes: [api:write] }
  - { path: "/v1x/**", scopes: [api:read] }
  - { path: /closed, access: deny }
`,
  });
  ({ port } = await gateway.shipped());
  const make = async (name: string, key: object) => {
    secrets[name] = (await createKey(gateway.keyward.adminSocket, { name, scopes: ["api:read"], ...key })).secret;
  };
  await make("reader", {});
  await make("below /v1", { paths: ["/v1"] });
  await make("exactly /v1/status", { paths: ["=/v1/status"] });
  await make("of next year", { notBefore: new Date(Date.now() + 366 * 86_400_000) });
  await make("without scopes", { scopes: [] });
  await make("of a second", { expiresIn: "1s" });
  secrets.unknown = secretOf("nobody's");
  const good = secrets.reader ?? "";
  secrets["mistyped reader"] = good.slice(0, -1) + (good.endsWith("0") ? "1" : "0");
  secrets["cut reader"] = good.slice(0, -1);
  await until("the short-lived key is over", async () => {
    const { reason } = await sendHttp1(port, { path: "/v1/x", secret: secrets["of a second"] ?? "" });
    return reason === "key_expired";
  });
});

afterAll(() => gateway.stop());

const ALLOWED = [200, undefined];

/** Title, key, request, HTTP status and reason. */
const rows: readonly (readonly [string, string | undefined, ClientRequest, readonly [number, string | undefined]])[] = [
  ["a public route needs no key", undefined, { path: "/healthz" }, [200, undefined]],
  ["a path beside the public route needs one", undefined, { path: "/v1/healthz" }, [401, "no_credential"]],
  ["a good key opens", "reader", { path: "/v1/orders?page=2" }, [200, undefined]],
  ["no key does not", undefined, { path: "/v1/orders?page=2" }, [401, "no_credential"]],
  ["a mistyped key does not", "mistyped reader", { path: "/v1/orders" }, [401, "malformed_credential"]],
  ["a key that was cut does not", "cut reader", { path: "/v1/orders" }, [401, "malformed_credential"]],
  ["a key that nobody made does not", "unknown", { path: "/v1/orders" }, [401, "unknown_key"]],
  ["a key without the scope does not", "without scopes", { path: "/v1/orders" }, [403, "insufficient_scope"]],
  [
    "a method that asks for more does not",
    "reader",
    { method: "POST", path: "/v1/orders" },
    [403, "insufficient_scope"],
  ],
  ["an expired key does not", "of a second", { path: "/v1/orders" }, [401, "key_expired"]],
  ["a key of next year does not", "of next year", { path: "/v1/orders" }, [401, "key_not_yet_valid"]],
  ["a key for /v1 opens /v1/orders", "below /v1", { path: "/v1/orders" }, [200, undefined]],
  ["a key for /v1 opens /v1", "below /v1", { path: "/v1" }, [200, undefined]],
  ["a key for /v1 does not open /v1x", "below /v1", { path: "/v1x" }, [403, "path_not_allowed"]],
  [
    "a key for =/v1/status opens it with a query",
    "exactly /v1/status",
    { path: "/v1/status?full=1" },
    [200, undefined],
  ],
  [
    "a key for =/v1/status does not open below",
    "exactly /v1/status",
    { path: "/v1/status/x" },
    [403, "path_not_allowed"],
  ],
  [
    "a key for =/v1/status does not open beside",
    "exactly /v1/status",
    { path: "/v1/statux" },
    [403, "path_not_allowed"],
  ],
  ["a closed route is closed to every key", "reader", { path: "/closed" }, [403, "route_denied"]],
  ["a path that no route mentions is, too", "reader", { path: "/v2" }, [403, "route_denied"]],
];

describe.each(VERSIONS)("through the shipped Envoy, over %s", (_, send) => {
  test.each(rows)("%s", async (_title, key, request, expected) => {
    const secret = key === undefined ? {} : { secret: secrets[key] ?? "" };
    const { status, reason, seen } = await send(port, { ...request, ...secret });
    expect([status, reason]).toEqual(expected);
    expect(seen?.path).toBe(status === 200 ? request.path : undefined);
    expect(JSON.stringify(seen ?? "")).not.toContain(secret.secret ?? "no key was sent");
  });

  test("a revoked key is refused by the very next request", async () => {
    const { id, secret } = await createKey(gateway.keyward.adminSocket, { scopes: ["api:read"] });
    const before = await send(port, { path: "/v1/orders", secret });
    await adminCall(gateway.keyward.adminSocket, "KeyService/RevokeKey", { key: id });
    const after = await send(port, { path: "/v1/orders", secret });
    expect([before.status, before.reason]).toEqual(ALLOWED);
    expect([after.status, after.reason]).toEqual([401, "key_revoked"]);
  });

  test.each([
    ["authorization", (secret: string) => `Bearer ${secret}`],
    ["Authorization", (secret: string) => `bEARER ${secret}`],
    ["authorization", (secret: string) => `ApiKey ${secret}`],
    ["authorization", (secret: string) => `apikey   ${secret}`],
    ["x-api-key", (secret: string) => secret],
    ["X-API-Key", (secret: string) => secret],
  ])("a key in %s opens, and goes no further", async (name, write) => {
    const value = write(secrets.reader ?? "");
    const { status, seen } = await send(port, { path: "/v1/orders", headers: [[name, value]] });
    expect(status).toBe(200);
    expect(Object.keys(seen?.headers ?? {})).not.toContain(name.toLowerCase());
  });

  test("a credential that is not ours goes on to the upstream of a public route", async () => {
    const basic = ["authorization", "Basic dXNlcjpwYXNz"] as const;
    const { status, seen } = await send(port, { path: "/healthz", headers: [basic] });
    expect([status, seen?.headers.authorization]).toEqual([200, "Basic dXNlcjpwYXNz"]);
  });

  test("a key of ours does not, not even on a public route", async () => {
    const { status, seen } = await send(port, { path: "/healthz", secret: secrets.reader ?? "" });
    expect([status, seen?.headers.authorization]).toEqual([200, undefined]);
  });
});
