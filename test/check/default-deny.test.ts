import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createCheck } from "../../src/check/check.ts";
import type { CheckPorts } from "../../src/check/ports.ts";
import type { RateLimiter, Taken } from "../../src/check/rate-limit.ts";
import type { KeyRecord } from "../../src/key/record.ts";
import { type Described, describeRequest } from "../support/check-request.ts";
import { policyOf } from "../support/policies.ts";
import { createSampleCheck, portsOf, sampleContext } from "../support/sample-check.ts";
import { recordOf, secretOf, storeOf } from "../support/sample-keys.ts";
import { headersOf, verdictOf } from "../support/verdict.ts";

const KEY = secretOf("a");
const good: Described = { path: "/v1", headers: [["authorization", `Bearer ${KEY}`]] };
const store = storeOf({ [KEY]: recordOf() });
const limited = storeOf({ [KEY]: recordOf({ rateLimit: { requests: 1, windowMs: 1_000, cell: 0 } }) });

function thrower(cause: unknown): () => never {
  return () => {
    throw cause;
  };
}

const undecided: RateLimiter["take"] = (limit) => ({ limit, remaining: 1, nextInSeconds: 1 }) as Taken;
const broken = new Error("broken");
const asking = policyOf([{ path: "/v1", scopes: ["a"] }]);

describe("whatever breaks is a denial:", () => {
  test.each<[string, Partial<CheckPorts>, string]>([
    ["a store that throws", { store: { find: thrower(broken) } }, "store_unavailable"],
    ["a store that throws nothing at all", { store: { find: thrower(undefined) } }, "store_unavailable"],
    ["a digest that throws", { digest: thrower(broken) }, "internal_error"],
    ["a policy that throws", { policy: { ...policyOf([]), ruleFor: thrower(broken) } }, "internal_error"],
    [
      "a scope graph that throws when it is asked what a key grants",
      { policy: { ...asking, scopes: { ...asking.scopes, effectiveScopes: thrower(broken) } } },
      "internal_error",
    ],
    [
      "a scope graph that throws when it is asked whether that is enough",
      { policy: { ...asking, scopes: { ...asking.scopes, grants: thrower(broken) } } },
      "internal_error",
    ],
    [
      "a policy that finds nothing",
      { policy: { ...policyOf([]), ruleFor: () => undefined as never } },
      "misconfigured_route",
    ],
    ["a limiter that throws", { store: limited, rates: { take: thrower(broken) } }, "internal_error"],
    [
      "a limiter that answers with an empty object",
      { store: limited, rates: { take: () => ({}) as Taken } },
      "internal_error",
    ],
    ["a limiter that does not say whether", { store: limited, rates: { take: undecided } }, "rate_limited"],
    ["an observer that throws", { observe: thrower(broken) }, "internal_error"],
    ["a store that answers with an empty object", { store: { find: () => ({}) as KeyRecord } }, "internal_error"],
    ["a store that answers with null", { store: { find: () => null as never } }, "internal_error"],
    [
      "a record without scopes",
      { store: { find: () => ({ ...recordOf(), scopes: undefined }) as unknown as KeyRecord } },
      "internal_error",
    ],
    [
      "a record whose scopes are no texts",
      { store: { find: () => ({ ...recordOf(), scopes: [undefined] }) as unknown as KeyRecord } },
      "internal_error",
    ],
  ])("%s", (_title, ports, reason) => {
    const told: unknown[] = [];
    const observe: CheckPorts["observe"] = ({ allowed, reason }) => told.push({ allowed, reason });
    const verdict = verdictOf(createSampleCheck({ store, observe, ...ports })(good));
    const sound = verdictOf(createSampleCheck({ store })(good));
    expect(sound).toMatchObject({ code: 0, metadata: { reason: "allowed" } });
    expect(verdict).toMatchObject({ answer: "denied", metadata: { reason, decision_id: "d-1" } });
    expect(headersOf(verdict)["x-keyward-reason"]).toBe(reason);
    expect([7, 16]).toContain(verdict.code);
    expect(told).toEqual("observe" in ports ? [] : [{ allowed: false, reason }]);
  });

  test("a store that throws, as an error where that is configured", () => {
    const check = createSampleCheck({ onStoreError: "error", store: { find: thrower(broken) } });
    expect(verdictOf(check(good))).toMatchObject({ code: 14, answer: "error", status: 503 });
  });

  test("a defect stays a denial where store trouble is an error", () => {
    const check = createSampleCheck({ onStoreError: "error", store, digest: thrower(broken) });
    expect(verdictOf(check(good))).toMatchObject({ code: 7, answer: "denied", status: 503 });
  });
});

describe("the observer", () => {
  function observed(ports: Partial<CheckPorts>, described: Described | Uint8Array) {
    const told: Parameters<CheckPorts["observe"]>[] = [];
    createSampleCheck({ store, ...ports, observe: (...all) => told.push(all) })(described);
    return told;
  }

  test.each<[string, Partial<CheckPorts>, Described | Uint8Array, object, unknown]>([
    ["an allow", {}, good, { allowed: true, reason: "allowed" }, undefined],
    ["a denial", {}, { path: "/v1" }, { allowed: false, reason: "no_credential" }, undefined],
    ["what is no request", {}, new Uint8Array(), { allowed: false, reason: "malformed_request" }, undefined],
    ["a defect", { digest: thrower(broken) }, good, { allowed: false, reason: "internal_error" }, broken],
  ])("is told of %s once, and of what was thrown", (_title, ports, described, decision, cause) => {
    const told = observed(ports, described);
    expect(told).toHaveLength(1);
    expect(told[0]?.[0]).toMatchObject(decision);
    expect(told[0]?.[2]).toBe(sampleContext);
    expect(told[0]?.[3]).toBe(cause);
  });

  test("is told what the store threw", () => {
    const told = observed({ store: { find: thrower(broken) } }, good);
    expect(told[0]?.[0]).toMatchObject({ reason: "store_unavailable" });
    expect(told[0]?.[3]).toMatchObject({ code: "STORE_UNAVAILABLE", cause: broken });
  });

  test("that throws is told of the denial that this became", () => {
    const told: string[] = [];
    const check = createSampleCheck({
      store,
      observe({ reason }) {
        told.push(reason);
        throw broken;
      },
    });
    expect(verdictOf(check(good))).toMatchObject({ code: 7, metadata: { reason: "internal_error" } });
    expect(told).toEqual(["allowed", "internal_error"]);
  });
});

describe("whatever the bytes, there is an answer that can be read:", () => {
  const check = createCheck(portsOf({ store, policy: policyOf([{ path: "/v1", access: "authenticated" }]) }));
  const codeOf = (bytes: Uint8Array) => {
    const verdict = verdictOf(check(bytes, sampleContext));
    expect(verdict.answer).not.toBe("none");
    return verdict.code;
  };
  const allowed = describeRequest(good);

  test("random bytes are a denial", () => {
    expect(codeOf(allowed)).toBe(0);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(codeOf(bytes)).toBe(7);
      }),
      { numRuns: 5_000 },
    );
  });

  test("a good request with random bytes written over its key is a denial", () => {
    const start = Buffer.from(allowed).indexOf(KEY);
    const original = [...KEY].map((character) => character.charCodeAt(0));
    const place = fc.record({ at: fc.nat(KEY.length - 1), byte: fc.nat(255) });
    const changes = fc.array(place, { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(changes, (faults) => {
        const bytes = Uint8Array.from(allowed);
        for (const { at, byte } of faults) bytes[start + at] = byte;
        fc.pre(original.some((byte, index) => bytes[start + index] !== byte));
        expect([7, 16]).toContain(codeOf(bytes));
      }),
      { numRuns: 5_000 },
    );
  });

  test("no other text of a key's form opens", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^kw_[0-9A-Za-z]{43}$/), (name) => {
        const other = secretOf(name);
        expect(codeOf(describeRequest({ ...good, headers: [["x-api-key", other]] }))).toBe(16);
      }),
    );
    expect(codeOf(describeRequest({ ...good, headers: [["x-api-key", KEY]] }))).toBe(0);
  });

  test("a good request with anything changed opens nothing once the key is no longer in it", () => {
    const change = fc.record({
      at: fc.nat(allowed.length - 1),
      drop: fc.nat(2),
      insert: fc.uint8Array({ maxLength: 2 }),
    });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        const bytes = [...allowed];
        for (const { at, drop, insert } of changes) bytes.splice(at, drop, ...insert);
        const changed = Uint8Array.from(bytes);
        expect(codeOf(changed) !== 0 || Buffer.from(changed).includes(KEY)).toBe(true);
      }),
      { numRuns: 5_000 },
    );
  });
});
