import { describe, expect, test } from "vitest";
import { createCheck } from "../../src/check/check.ts";
import type { CheckPorts } from "../../src/check/ports.ts";
import { rateLimitHeaders } from "../../src/check/rate-limit-headers.ts";
import { HeaderValueOption_HeaderAppendAction } from "../../src/gen/envoy/config/core/v3/base_pb.ts";
import type { KeyRecord } from "../../src/key/record.ts";
import { type Described, describeRequest } from "../support/check-request.ts";
import { policyOf } from "../support/policies.ts";
import { ratesAt } from "../support/rates.ts";
import { portsOf, sampleContext } from "../support/sample-check.ts";
import { recordOf, secretOf, storeOf } from "../support/sample-keys.ts";
import { headersOf, verdictOf } from "../support/verdict.ts";

const KEY = secretOf("a");
const OTHER = secretOf("b");
const THREE_A_MINUTE = { requests: 3, windowMs: 60_000, cell: 0 };

/** A check over some keys, with a clock of its own for limits. Left out: one key that may be used three times a minute. */
function checkOf(
  records: Readonly<Record<string, Partial<KeyRecord>>> = { [KEY]: {} },
  ports: Partial<CheckPorts> = {},
) {
  const limited = Object.entries(records).map(([secret, more]) => {
    return [secret, recordOf({ rateLimit: THREE_A_MINUTE, ...more })] as const;
  });
  const clock = { ns: 1_000_000_000_000n };
  const rates = ratesAt(() => clock.ns);
  const check = createCheck(portsOf({ store: storeOf(Object.fromEntries(limited)), rates, ...ports }));
  const ask = (secret: string, request: Described = {}, nowMs = sampleContext.nowMs) => {
    const headers = [["authorization", `Bearer ${secret}`] as const];
    return verdictOf(check(describeRequest({ headers, ...request }), { ...sampleContext, nowMs }));
  };
  const reasons = (...secrets: string[]) => secrets.map((secret) => ask(secret).metadata.reason);
  return { ask, reasons, clock };
}

test("of a key with a limit so many requests are allowed, and no more until one is back", () => {
  const { reasons, clock } = checkOf();
  expect(reasons(KEY, KEY, KEY, KEY)).toEqual(["allowed", "allowed", "allowed", "rate_limited"]);
  clock.ns += 20_000_000_000n - 1n;
  expect(reasons(KEY)).toEqual(["rate_limited"]);
  clock.ns += 1n;
  expect(reasons(KEY, KEY)).toEqual(["allowed", "rate_limited"]);
});

test.each<[title: string, other: Partial<KeyRecord>, key: string[], other: string[]]>([
  [
    "that shares its cell, as a successor does, shares its count",
    {},
    ["allowed", "allowed", "rate_limited", "rate_limited"],
    ["allowed", "rate_limited", "rate_limited", "rate_limited"],
  ],
  [
    "with a cell of its own has a count of its own",
    { rateLimit: { ...THREE_A_MINUTE, cell: 1 } },
    ["allowed", "allowed", "allowed", "rate_limited"],
    ["allowed", "allowed", "allowed", "rate_limited"],
  ],
  [
    "without a limit is not counted",
    { rateLimit: undefined },
    ["allowed", "allowed", "allowed", "rate_limited"],
    ["allowed", "allowed", "allowed", "allowed"],
  ],
])("another key %s", (_title, other, ofKey, ofOther) => {
  const { reasons } = checkOf({ [KEY]: {}, [OTHER]: other });
  const pairs = ofKey.map(() => reasons(KEY, OTHER));
  expect(pairs).toEqual(ofKey.map((reason, turn) => [reason, ofOther[turn]]));
});

describe("a request that is refused otherwise is not counted:", () => {
  const routes = policyOf([
    { path: "/closed", access: "deny" },
    { path: "/asking", scopes: ["a"] },
    { path: "/**", access: "authenticated" },
  ]);
  const { nowMs } = sampleContext;

  test.each<[reason: string, record: Partial<KeyRecord>, request: Described, nowMs?: number]>([
    ["malformed_request", {}, { method: "get" }],
    ["ambiguous_path", {}, { path: "/a//b" }],
    ["misconfigured_route", {}, { extensions: { "keyward.acess": "public" } }],
    ["route_denied", {}, { path: "/closed" }],
    ["no_credential", {}, { headers: [] }],
    ["ambiguous_credential", {}, { headers: ["x", "y"].map((value) => ["x-api-key", value]) }],
    ["unknown_key", {}, { headers: [["x-api-key", secretOf("nobody")]] }],
    ["key_expired", { expiresAtMs: nowMs + 1 }, {}, nowMs + 1],
    ["key_not_yet_valid", { notBeforeMs: nowMs }, {}, nowMs - 1],
    [
      "address_not_allowed",
      { networks: { has: (address) => address === "192.0.2.1" } },
      { sourceAddress: "192.0.2.2" },
    ],
    ["method_not_allowed", { methods: ["GET"] }, { method: "POST" }],
    ["path_not_allowed", { paths: ["=/"] }, { path: "/x" }],
    ["insufficient_scope", {}, { path: "/asking" }],
  ])("%s", (reason, record, request, atMs = nowMs) => {
    const { ask } = checkOf({ [KEY]: record }, { policy: routes });
    const refused = Array.from({ length: 5 }, () => ask(KEY, request, atMs));
    expect(refused.map(({ metadata }) => metadata.reason)).toEqual(Array(5).fill(reason));
    expect(refused.flatMap(({ headers }) => headers.filter(({ header }) => header?.key.includes("rate")))).toEqual([]);
    const sound = Array.from({ length: 4 }, () => ask(KEY, { sourceAddress: "192.0.2.1" }));
    expect(sound.map(({ metadata }) => metadata.reason)).toEqual(["allowed", "allowed", "allowed", "rate_limited"]);
  });

  test.each([
    ["revoked", "key_revoked"],
    ["disabled", "key_disabled"],
  ])("that of a key that is %s", (state, reason) => {
    const { reasons } = checkOf({ [KEY]: { [state]: true }, [OTHER]: {} });
    expect(reasons(KEY, KEY, KEY, KEY)).toEqual(Array(4).fill(reason));
    expect(reasons(OTHER, OTHER, OTHER, OTHER)).toEqual(["allowed", "allowed", "allowed", "rate_limited"]);
  });

  test("a request on a public route is not counted either, whatever it presents", () => {
    const { ask, reasons } = checkOf(undefined, {
      policy: policyOf([{ path: "/open", access: "public" }], "authenticated"),
    });
    for (let time = 0; time < 5; time++) expect(ask(KEY, { path: "/open" }).metadata.reason).toBe("public");
    expect(reasons(KEY, KEY, KEY, KEY)).toEqual(["allowed", "allowed", "allowed", "rate_limited"]);
  });
});

test("the wall clock brings no request back and takes none, however far it is set", () => {
  const { ask, clock } = checkOf();
  const hour = 3_600_000;
  const at = (nowMs: number) => ask(KEY, {}, nowMs).metadata.reason;
  const { nowMs } = sampleContext;
  expect([nowMs, nowMs - hour, nowMs + hour].map(at)).toEqual(["allowed", "allowed", "allowed"]);
  expect([nowMs + 1_000 * hour, nowMs - 1_000 * hour, nowMs].map(at)).toEqual(Array(3).fill("rate_limited"));
  clock.ns += 20_000_000_000n;
  expect([nowMs - hour, nowMs + hour].map(at)).toEqual(["allowed", "rate_limited"]);
});

describe("the answer", () => {
  test("to one that is too many says when to come again", () => {
    const { ask } = checkOf({ [KEY]: { id: "key_1", owner: "user/a", scopes: ["s"] } });
    for (let time = 0; time < 3; time++) expect(ask(KEY).answer).toBe("ok");
    const verdict = ask(KEY);
    expect(verdict).toMatchObject({ code: 7, answer: "denied", status: 429 });
    expect(headersOf(verdict)).toEqual({
      "content-type": "application/json",
      "x-keyward-decision-id": "d-1",
      "x-keyward-reason": "rate_limited",
      "retry-after": "20",
      "ratelimit-policy": '"key";q=3;w=60',
      ratelimit: '"key";r=0;t=20',
    });
    expect(JSON.parse(verdict.body)).toEqual({
      error: "rate_limited",
      error_description: "API key has been used as often as its rate limit allows",
      decision_id: "d-1",
    });
    expect(verdict.metadata).toEqual({
      decision_id: "d-1",
      reason: "rate_limited",
      key_id: "key_1",
      owner: "user/a",
      scopes: ["s"],
    });
  });

  test("to one that is let through tells the client what is left, and the upstream nothing", () => {
    const { ask } = checkOf();
    const verdicts = [ask(KEY), ask(KEY), ask(KEY)];
    expect(verdicts.map(({ responseHeaders }) => headersOf({ headers: responseHeaders }))).toEqual(
      [2, 1, 0].map((left) => ({ "ratelimit-policy": '"key";q=3;w=60', ratelimit: `"key";r=${left};t=20` })),
    );
    const toUpstream = verdicts.flatMap(({ headers }) => headers.map(({ header }) => header?.key));
    expect(toUpstream).toEqual(Array(3).fill("x-keyward-key-id"));
  });

  test("leaves the limits that the upstream tells of beside its own, in both of the ways that Envoy reads", () => {
    const { APPEND_IF_EXISTS_OR_ADD } = HeaderValueOption_HeaderAppendAction;
    const ways = checkOf()
      .ask(KEY)
      .responseHeaders.map(({ append, appendAction }) => ({ append, appendAction }));
    expect(ways).toEqual(Array(2).fill({ append: true, appendAction: APPEND_IF_EXISTS_OR_ADD }));
  });

  test("about a key without a limit has none of these headers", () => {
    const { ask } = checkOf({ [KEY]: { rateLimit: undefined, scopes: ["s"] } });
    const verdict = ask(KEY);
    expect(verdict).toMatchObject({ code: 0, answer: "ok", responseHeaders: [] });
    expect(Object.keys(headersOf(verdict)).toSorted()).toEqual(["x-keyward-key-id", "x-keyward-scopes"]);
  });

  test("near the end of a key's life tells of that as well", () => {
    const soon = { expiresAtMs: sampleContext.nowMs + 5_000 };
    const { ask } = checkOf({ [KEY]: soon }, { expiryWarningMs: 10_000 });
    expect(Object.keys(headersOf({ headers: ask(KEY).responseHeaders })).toSorted()).toEqual([
      "ratelimit",
      "ratelimit-policy",
      "sunset",
      "x-keyward-key-expires-in",
    ]);
  });
});

test.each([
  ["the least", 1, 1_000, 0, 1, '"key";q=1;w=1', '"key";r=0;t=1'],
  ["the most", 1_000_000, 2_678_400_000, 999_999, 3, '"key";q=1000000;w=2678400', '"key";r=999999;t=3'],
  ["a window of no whole seconds, rounded up", 5, 1_001, 4, 1, '"key";q=5;w=2', '"key";r=4;t=1'],
])("%s is told in whole numbers", (_title, requests, windowMs, remaining, nextInSeconds, policy, current) => {
  const taken = { limit: { requests, windowMs, cell: 0 }, allowed: true, remaining, nextInSeconds };
  expect(rateLimitHeaders(taken)).toEqual([
    ["ratelimit-policy", policy],
    ["ratelimit", current],
  ]);
});
