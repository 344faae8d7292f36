import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createHttpCheck } from "../../../src/check/check.ts";
import { DIALECT_NAMES } from "../../../src/check/http/dialects.ts";
import type { HttpRequest } from "../../../src/check/http/request.ts";
import type { CheckPorts } from "../../../src/check/ports.ts";
import type { Taken } from "../../../src/check/rate-limit.ts";
import type { KeyRecord } from "../../../src/key/record.ts";
import { policyOf } from "../../support/policies.ts";
import { portsOf, sampleContext } from "../../support/sample-check.ts";
import { recordOf, secretOf, storeOf } from "../../support/sample-keys.ts";
import { answerTo, askAbout, headerOf } from "./support/asking.ts";

const KEY = secretOf("a");
const good = { target: "/v1", headers: [["authorization", `Bearer ${KEY}`]] } as const;
const store = storeOf({ [KEY]: recordOf() });
const limited = storeOf({ [KEY]: recordOf({ rateLimit: { requests: 1, windowMs: 1_000, cell: 0 } }) });
const broken = new Error("broken");

function thrower(cause: unknown): () => never {
  return () => {
    throw cause;
  };
}

const BREAKS: readonly (readonly [string, Partial<CheckPorts>, string])[] = [
  ["a store that throws", { store: { find: thrower(broken) } }, "store_unavailable"],
  ["a store that throws nothing at all", { store: { find: thrower(undefined) } }, "store_unavailable"],
  ["a digest that throws", { digest: thrower(broken) }, "internal_error"],
  ["a policy that throws", { policy: { ...policyOf([]), ruleFor: thrower(broken) } }, "internal_error"],
  [
    "a policy that finds nothing",
    { policy: { ...policyOf([]), ruleFor: () => undefined as never } },
    "misconfigured_route",
  ],
  ["a limiter that throws", { store: limited, rates: { take: thrower(broken) } }, "internal_error"],
  ["a limiter that does not say whether", { store: limited, rates: { take: () => ({}) as Taken } }, "internal_error"],
  ["an observer that throws", { observe: thrower(broken) }, "internal_error"],
  ["a store that answers with an empty object", { store: { find: () => ({}) as KeyRecord } }, "internal_error"],
  ["a store that answers with null", { store: { find: () => null as never } }, "internal_error"],
];

describe.each(DIALECT_NAMES)("in the dialect of %s whatever breaks is a denial:", (dialect) => {
  test.each(BREAKS)("%s", (_title, ports, reason) => {
    expect(answerTo(askAbout(dialect, good), { store }).status).toBe(200);
    const answer = answerTo(askAbout(dialect, good), { store, ...ports });
    expect(answer.status).not.toBe(200);
    expect(headerOf(answer, "x-keyward-reason")).toBe(reason);
    expect(headerOf(answer, "x-keyward-key-id")).toBeUndefined();
  });

  test("what is no request at all", () => {
    for (const rawHeaders of [undefined, null, 1, [undefined, undefined], ["authorization"]]) {
      const request = { dialect, method: "GET", url: "", rawHeaders } as unknown as HttpRequest;
      expect(answerTo(request, { store }).status).not.toBe(200);
    }
  });
});

describe("whatever is asked, only the key opens:", () => {
  const text = fc.string({ unit: "binary-ascii", maxLength: 20 });
  const name = fc.constantFrom(
    ...["x-original-method", "x-original-uri", "x-original-url", "x-forwarded-method", "x-forwarded-uri"],
    ...["x-forwarded-host", "x-real-ip", "x-forwarded-for", "host", "authorization", "x-api-key", "x-keyward-key-id"],
  );
  const value = fc.oneof(text, fc.constantFrom("GET", "/v1", "https://api.test/v1", "Bearer ", "api.test"));
  const check = createHttpCheck(portsOf({ store }));

  test.each(DIALECT_NAMES)("in the dialect of %s", (dialect) => {
    const request = askAbout(dialect, good);
    expect(check(request, sampleContext).status).toBe(200);
    const withoutKey = request.rawHeaders.slice(0, -2);
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 4 }), fc.boolean(), (more, atFirst) => {
        const rawHeaders = atFirst ? [...more.flat(), ...withoutKey] : [...withoutKey, ...more.flat()];
        const answer = check({ ...request, rawHeaders }, sampleContext);
        expect([400, 401, 403]).toContain(answer.status);
      }),
      { numRuns: 1_000 },
    );
  });
});
