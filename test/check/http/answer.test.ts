import { describe, expect, test } from "vitest";
import { createHttpEncode } from "../../../src/check/http/answer.ts";
import { DIALECT_NAMES, DIALECTS, type DialectName } from "../../../src/check/http/dialects.ts";
import type { CheckPorts } from "../../../src/check/ports.ts";
import { REASON_NAMES, REASONS, type Reason } from "../../../src/check/reason.ts";
import { policyOf } from "../../support/policies.ts";
import { portsOf, sampleContext } from "../../support/sample-check.ts";
import { recordOf, secretOf, storeOf } from "../../support/sample-keys.ts";
import { answerTo, askAbout, headerOf } from "./support/asking.ts";

const KEY = secretOf("a");
const full = recordOf({ id: "key_1", owner: "service/ci", tenant: "acme", scopes: ["a", "b"] });
const store = storeOf({ [KEY]: full, [secretOf("bare")]: recordOf({ id: "key_2" }) });
const bearer = (secret = KEY) => [["authorization", `Bearer ${secret}`]] as const;

/** The answer to a denial for a reason, in a dialect. */
function denied(dialect: DialectName, reason: Reason, ports: Partial<CheckPorts> = {}) {
  const encode = createHttpEncode(portsOf(ports), DIALECTS[dialect]);
  return encode({ allowed: false, reason }, sampleContext, { headers: [] }, []);
}

describe.each(DIALECT_NAMES)("an allow in the dialect of %s", (dialect) => {
  test("is exactly 200 without a body, with every identity header", () => {
    const answer = answerTo(askAbout(dialect, { headers: bearer() }), { store });
    expect(answer).toMatchObject({ status: 200, body: "" });
    expect(answer.headers.slice(0, 6)).toEqual([
      ["x-keyward-key-id", "key_1"],
      ["x-keyward-owner", "service/ci"],
      ["x-keyward-tenant", "acme"],
      ["x-keyward-scopes", "a b"],
      ["x-keyward-decision-id", "d-1"],
      ["x-keyward-reason", "allowed"],
    ]);
  });

  test("has empty identity headers where they do not apply", () => {
    const answer = answerTo(askAbout(dialect, { headers: bearer(secretOf("bare")) }), { store });
    expect(answer.headers.slice(0, 4)).toEqual([
      ["x-keyward-key-id", "key_2"],
      ["x-keyward-owner", ""],
      ["x-keyward-tenant", ""],
      ["x-keyward-scopes", ""],
    ]);
  });

  test("of a public route tells of nobody", () => {
    const policy = policyOf([{ path: "/open", access: "public" }]);
    const answer = answerTo(askAbout(dialect, { target: "/open", headers: bearer() }), { store, policy });
    expect(answer).toMatchObject({ status: 200, body: "" });
    expect(answer.headers.slice(0, 4).map(([, value]) => value)).toEqual(["", "", "", ""]);
    expect(headerOf(answer, "x-keyward-reason")).toBe("public");
    expect(answerTo(askAbout(dialect, { target: "/opem", headers: [] }), { store, policy }).status).not.toBe(200);
  });

  test("tells of the rate limit and of the key's end", () => {
    const nowMs = sampleContext.nowMs;
    const limited = recordOf({
      rateLimit: { requests: 10, windowMs: 60_000, cell: 0 },
      expiresAtMs: nowMs + 60_000,
    });
    const ports = { store: storeOf({ [KEY]: limited }), expiryWarningMs: 3_600_000 };
    const answer = answerTo(askAbout(dialect, { headers: bearer() }), ports);
    expect(headerOf(answer, "ratelimit-policy")).toBe('"key";q=10;w=60');
    expect(headerOf(answer, "ratelimit")).toBe('"key";r=9;t=6');
    expect(headerOf(answer, "sunset")).toBe(new Date(nowMs + 60_000).toUTCString());
    expect(headerOf(answer, "x-keyward-key-expires-in")).toBe("60");
  });

  test("tells how stale what is known of keys is, and not that it is up to date", () => {
    const told = (staleMs: number) => {
      const ports = { store: { ...store, staleMs: () => staleMs }, serveStaleForMs: 5_000 };
      return headerOf(answerTo(askAbout(dialect, { headers: bearer() }), ports), "x-keyward-stale");
    };
    expect([told(0), told(1), told(5_000)]).toEqual([undefined, "1s", "5s"]);
    expect(told(5_001)).toBeUndefined();
  });

  test("is written for no object that only looks like one", () => {
    const encode = createHttpEncode(portsOf(), DIALECTS[dialect]);
    const forged = { allowed: true, reason: "allowed", scopes: [], rule: undefined, record: undefined };
    expect(() => encode(forged as never, sampleContext, { headers: [] }, [])).toThrow("only decide may allow");
  });
});

describe("what Envoy is to take off", () => {
  const removed = (headers: readonly (readonly [string, string])[], ports: Partial<CheckPorts> = {}) => {
    const answer = answerTo(askAbout("envoy", { headers }), { store, ...ports });
    return { answer, names: headerOf(answer, "x-envoy-auth-headers-to-remove")?.split(",") ?? [] };
  };

  test("are the headers that may carry a key, and identity headers that do not apply, in every spelling", () => {
    const { names } = removed(bearer(secretOf("bare")));
    expect(names).toEqual(
      expect.arrayContaining(["authorization", "x-api-key", "x-keyward-owner", "x_keyward.tenant"]),
    );
    expect(names).not.toContain("x-keyward-key-id");
    expect(names).toContain("x_keyward_key_id");
    // 3 of each separator: 27 of the key's id, and 9 of each other header; without the one that is set.
    expect(names).toHaveLength(2 + 27 + 3 * 9 - 1);
  });

  test("is nothing that is set", () => {
    const { answer, names } = removed(bearer());
    const set = answer.headers.filter(([, value]) => value !== "").map(([name]) => name);
    expect(names.filter((name) => set.includes(name))).toEqual([]);
  });

  test("is of a cookie only the key", () => {
    const credentials = [{ from: "cookie", name: "k" }] as const;
    const { answer, names } = removed([["cookie", `a=1; k=${KEY}; b=2`]], { credentials });
    expect(headerOf(answer, "cookie")).toBe("a=1; b=2");
    expect(names).not.toContain("cookie");
    const alone = removed([["cookie", `k=${KEY}`]], { credentials });
    expect(headerOf(alone.answer, "cookie")).toBeUndefined();
    expect(alone.names).toContain("cookie");
  });

  test.each(DIALECT_NAMES.filter((name) => name !== "envoy"))("is not told to %s", (dialect) => {
    const answer = answerTo(askAbout(dialect, { headers: bearer() }), { store });
    expect(headerOf(answer, "x-envoy-auth-headers-to-remove")).toBeUndefined();
  });
});

describe("a denial", () => {
  test.each(DIALECT_NAMES)("in the dialect of %s says why", (dialect) => {
    const answer = answerTo(askAbout(dialect), { store });
    expect(answer.status).toBe(401);
    expect(Object.fromEntries(answer.headers)).toEqual({
      "content-type": "application/json",
      "x-keyward-decision-id": "d-1",
      "x-keyward-reason": "no_credential",
      "www-authenticate": 'Bearer realm="keyward"',
    });
    expect(JSON.parse(answer.body)).toEqual({ error_description: "Not authenticated", decision_id: "d-1" });
  });

  test.each(REASON_NAMES)("for %s has a status that its gateway takes for one", (reason) => {
    const { status } = REASONS[reason];
    const statuses = Object.fromEntries(DIALECT_NAMES.map((name) => [name, denied(name, reason).status]));
    const nginx = status === 401 ? 401 : 403;
    expect(statuses).toEqual({
      envoy: status === 503 ? 403 : status,
      nginx,
      "ingress-nginx": nginx,
      traefik: status,
      caddy: status,
      haproxy: status,
    });
    const told = DIALECT_NAMES.map((name) => headerOf(denied(name, reason), "x-keyward-reason"));
    expect(new Set(told)).toEqual(new Set([reason]));
  });

  test("for store trouble is an error for Envoy where that is configured, and a defect never", () => {
    expect(denied("envoy", "store_unavailable", { onStoreError: "error" }).status).toBe(503);
    expect(denied("envoy", "internal_error", { onStoreError: "error" }).status).toBe(403);
    expect(denied("nginx", "store_unavailable", { onStoreError: "error" }).status).toBe(403);
  });

  test("for a rate limit says when to come again", () => {
    const limited = recordOf({ rateLimit: { requests: 1, windowMs: 60_000, cell: 0 } });
    const ports = portsOf({ store: storeOf({ [KEY]: limited }) });
    const ask = () => answerTo(askAbout("traefik", { headers: bearer() }), ports);
    expect(ask().status).toBe(200);
    const answer = ask();
    expect(answer.status).toBe(429);
    expect(headerOf(answer, "retry-after")).toBe("60");
    expect(headerOf(answer, "ratelimit")).toBe('"key";r=0;t=60');
  });
});
