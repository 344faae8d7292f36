import { describe, expect, test } from "vitest";
import type { Described } from "../support/check-request.ts";
import { createSampleCheck, sampleContext } from "../support/sample-check.ts";
import { recordOf, secretOf, storeOf } from "../support/sample-keys.ts";
import { reasonOf } from "../support/verdict.ts";

const PLAIN = secretOf("plain");
const ROTATED = secretOf("rotated");
const OVER = secretOf("over");
const store = storeOf({
  [PLAIN]: recordOf({ id: "key_plain" }),
  [ROTATED]: recordOf({ id: "key_rotated", graceEndsAtMs: sampleContext.nowMs + 1 }),
  [OVER]: recordOf({ id: "key_over", graceEndsAtMs: sampleContext.nowMs }),
});

const AGENT = ["user-agent", "curl/8.5.0"] as const;
const bearer = (secret: string) => ["authorization", `Bearer ${secret}`] as const;

type Noted = [id: string, reason: string, address: string | undefined, agent: string | undefined, nowMs: number];

function notedOf(request: Described, trustedHops = 0): { noted: Noted[]; reason: unknown } {
  const noted: Noted[] = [];
  const check = createSampleCheck({
    store,
    trustedHops,
    noteKey: ({ id }, ...rest) => noted.push([id, ...rest]),
  });
  return { reason: reasonOf(check(request)), noted };
}

describe("what is noted of a key", () => {
  const from = { sourceAddress: "192.0.2.1" };
  test.each<[string, Described, string, string, string | undefined]>([
    [
      "an allow, without what the client calls itself",
      { headers: [bearer(PLAIN), AGENT] },
      "allowed",
      "key_plain",
      undefined,
    ],
    [
      "an allow in the grace period, with it",
      { headers: [bearer(ROTATED), AGENT] },
      "allowed",
      "key_rotated",
      AGENT[1],
    ],
    [
      "the last of two names",
      { headers: [bearer(ROTATED), ["User-Agent", "x"], AGENT] },
      "allowed",
      "key_rotated",
      AGENT[1],
    ],
    ["one of the map", { headers: [bearer(ROTATED), AGENT], form: "headers" }, "allowed", "key_rotated", AGENT[1]],
    ["no name where none was sent", { headers: [bearer(ROTATED)] }, "allowed", "key_rotated", undefined],
    ["a denial after the grace period", { headers: [bearer(OVER), AGENT] }, "key_expired", "key_over", undefined],
  ])("is %s", (_, request, reason, id, agent) => {
    expect(notedOf({ ...request, ...from })).toEqual({
      reason,
      noted: [[id, reason, "192.0.2.1", agent, sampleContext.nowMs]],
    });
  });

  test.each<[string, Described, string]>([
    ["an unknown one", { headers: [bearer(secretOf("nobody"))] }, "unknown_key"],
    ["none", {}, "no_credential"],
    ["a mistyped one", { headers: [bearer(PLAIN.slice(0, -1))] }, "malformed_credential"],
  ])("is nothing for %s", (_, request, reason) => {
    expect(notedOf(request)).toEqual({ reason, noted: [] });
  });

  test("has the client's address from where the proxies in front put it", () => {
    const headers = [bearer(PLAIN), ["x-forwarded-for", "198.51.100.7, 10.0.0.1"]] as const;
    expect(notedOf({ headers, ...from }, 1).noted[0]?.[2]).toBe("198.51.100.7");
    expect(notedOf({ headers: [bearer(PLAIN)], ...from }, 1).noted[0]?.[2]).toBeUndefined();
  });
});
