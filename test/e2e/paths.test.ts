import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createKey } from "../support/admin-call.ts";
import { sendHttp1 } from "./support/client.ts";
import { type EnvoyInFront, type Gateway, startGateway } from "./support/gateway.ts";
import { VERSIONS } from "./support/versions.ts";

let gateway: Gateway;
const envoys: Record<string, EnvoyInFront> = {};
let secret: string;

beforeAll(async () => {
  gateway = await startGateway({
    config: `routes:
  - { path: /open, access: public }
  - { path: /v1/admin, scopes: [admin:all] }
  - { path: "/v1/secret/**", access: deny }
  - { path: "/v1/**", scopes: [api:read] }
  - { path: "/**", scopes: [api:read] }
`,
  });
  envoys.bare = await gateway.bare();
  envoys["bare, with a map of headers"] = await gateway.bare({ encodeRawHeaders: false });
  envoys.shipped = await gateway.shipped();
  ({ secret } = await createKey(gateway.keyward.adminSocket, { scopes: ["api:read"] }));
});

afterAll(() => gateway.stop());

const AMBIGUOUS = [400, "ambiguous_path"] as const;
const ALLOWED = [200, undefined] as const;
const TOO_LITTLE = [403, "insufficient_scope"] as const;
const CLOSED = [403, "route_denied"] as const;

/** What stands in for a path with its twin one character away, and the answer. */
const judged: readonly (readonly [string, readonly [number, string | undefined]])[] = [
  ["/v1/orders", ALLOWED],
  ["/v1//orders", AMBIGUOUS],
  ["//v1/orders", AMBIGUOUS],
  ["/v1/./orders", AMBIGUOUS],
  ["/v1/.orders", ALLOWED],
  ["/v1/x/../admin", AMBIGUOUS],
  ["/v1/x/..admin", ALLOWED],
  ["/v1/..", AMBIGUOUS],
  ["/v1/x;y", AMBIGUOUS],
  ["/v1/x,y", ALLOWED],
  ["/v1\\admin", AMBIGUOUS],
  ["/v1%2fadmin", AMBIGUOUS],
  ["/v1%2Fadmin", AMBIGUOUS],
  ["/v1%5cadmin", AMBIGUOUS],
  ["/v1/%2e%2e/admin", AMBIGUOUS],
  ["/v1/x%00", AMBIGUOUS],
  ["/v1/x%0d%0a", AMBIGUOUS],
  ["/v1/x%20y", ALLOWED],
  ["/v1/x%7f", AMBIGUOUS],
  ["/v1/x%25", AMBIGUOUS],
  ["/v1/x%3b", AMBIGUOUS],
  ["/v1/x%3f", AMBIGUOUS],
  ["/v1/x%23", AMBIGUOUS],
  ["/v1/x%zz", AMBIGUOUS],
  ["/v1/x%4", AMBIGUOUS],
  ["/v1/x%c0%ae", AMBIGUOUS],
  ["/v1/x%c3%a4", ALLOWED],
  ["/v1/x?y=//../%2f;%00", ALLOWED],
  ["/v1/admin", TOO_LITTLE],
  ["/v1/admin/", TOO_LITTLE],
  ["/v1/ADMIN", TOO_LITTLE],
  ["/v1/%61dmin", TOO_LITTLE],
  ["/v1/%41DMIN/", TOO_LITTLE],
  ["/v1/admin?x", TOO_LITTLE],
  ["/v1/admins", ALLOWED],
  ["/v1/secret", CLOSED],
  ["/v1/secret/", CLOSED],
  ["/v1/Secret/x", CLOSED],
  ["/v1/%73ecret/x", CLOSED],
  ["/v1/secrets", ALLOWED],
];

describe.each(["bare", "bare, with a map of headers"])("an Envoy that repairs no path (%s)", (which) => {
  describe.each(VERSIONS)("over %s", (_, send) => {
    test.each(judged)("%s", async (path, expected) => {
      const { status, reason, seen } = await send(envoys[which]?.port ?? 0, { path, secret });
      expect([status, reason]).toEqual(expected);
      expect(seen?.path).toBe(status === 200 ? path : undefined);
    });

    test.each([
      ["/open", 200, undefined],
      ["/open?x=1", 200, undefined],
      ["/open/", 401, "no_credential"],
      ["/OPEN", 401, "no_credential"],
      ["/opem", 401, "no_credential"],
      ["/%6fpen", 200, undefined],
      ["/open%2f", 400, "ambiguous_path"],
    ])("without a key: %s is answered with %i", async (path, status, reason) => {
      const answer = await send(envoys[which]?.port ?? 0, { path });
      expect([answer.status, answer.reason]).toEqual([status, reason]);
    });
  });
});

test("an exclamation mark is a letter among raw headers, and else may be what Envoy writes for a byte", async () => {
  const reasons = await Promise.all(
    ["bare", "bare, with a map of headers"].map(async (which) => {
      const port = envoys[which]?.port ?? 0;
      return (await sendHttp1(port, { path: "/v1/x!", secret })).reason ?? "allowed";
    }),
  );
  expect(reasons).toEqual(["allowed", "ambiguous_path"]);
});

/** The shipped Envoy decodes, merges and refuses before it asks: what the upstream gets is what was judged. */
describe.each(VERSIONS)("the shipped Envoy over %s", (_, send) => {
  test.each<[string, number, string | undefined, string | undefined]>([
    ["/v1/orders", 200, undefined, "/v1/orders"],
    ["/v1//orders", 200, undefined, "/v1/orders"],
    ["/v1/x/../orders", 200, undefined, "/v1/orders"],
    ["/v1/x/../admin", 403, "insufficient_scope", undefined],
    ["/v1//admin", 403, "insufficient_scope", undefined],
    ["/v1/%61dmin", 403, "insufficient_scope", undefined],
    ["/v1/admin/", 403, "insufficient_scope", undefined],
    ["/v1/ADMIN", 403, "insufficient_scope", undefined],
    ["/v1/x/%2e%2e/admin", 403, "insufficient_scope", undefined],
    ["/v1%2fadmin", 400, undefined, undefined],
    ["/v1%5cadmin", 400, undefined, undefined],
    ["/v1/%c0%ae%c0%ae/admin", 400, "ambiguous_path", undefined],
    ["/v1/x;/../admin", 403, "insufficient_scope", undefined],
    ["/v1/x;y", 400, "ambiguous_path", undefined],
    ["/v1/x%253f", 400, "ambiguous_path", undefined],
  ])("%s is answered with %i (%s)", async (path, status, reason, reached) => {
    const answer = await send(envoys.shipped?.port ?? 0, { path, secret });
    expect([answer.status, answer.reason, answer.seen?.path]).toEqual([status, reason, reached]);
  });
});
