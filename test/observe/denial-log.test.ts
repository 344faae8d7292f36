import { describe, expect, test } from "vitest";
import { deny } from "../../src/check/decide.ts";
import type { ObservedRequest } from "../../src/check/ports.ts";
import { createDenialLog } from "../../src/observe/denial-log.ts";
import type { LogFields, LogLevel } from "../../src/observe/log.ts";
import { ruleOf } from "../support/policies.ts";
import { recordOf, secretOf } from "../support/sample-keys.ts";

interface Line {
  level: LogLevel;
  message: string;
  fields: LogFields;
}

function denialLog() {
  const lines: Line[] = [];
  const tell = createDenialLog((level, message, fields = {}) => lines.push({ level, message, fields }));
  return { lines, tell };
}

const request: ObservedRequest = {
  method: "GET",
  authority: "api.test",
  target: "/v1/orders?page=2",
  sourceAddress: "192.0.2.1",
};
const context = { nowMs: 1_000, decisionId: "d" };
const rule = ruleOf({ scopes: ["a"], route: "/v1/**" });

describe("a line of the denial log", () => {
  test("names decision, reason, key, route, method, host, path and source, and no query", () => {
    const { lines, tell } = denialLog();
    tell(deny("insufficient_scope", rule, recordOf({ id: "key_1" })), request, context);
    expect(lines).toEqual([
      {
        level: "info",
        message: "denied: insufficient_scope",
        fields: {
          decision_id: "d",
          reason: "insufficient_scope",
          key_id: "key_1",
          route: "/v1/**",
          method: "GET",
          host: "api.test",
          path: "/v1/orders",
          source: "192.0.2.1",
          cause: undefined,
        },
      },
    ]);
  });

  test.each<[string, Parameters<ReturnType<typeof createDenialLog>>, LogLevel, string | undefined]>([
    ["what a client did wrong", [deny("no_credential", rule), request, context], "info", undefined],
    ["a route that cannot be understood", [deny("misconfigured_route"), request, context], "warn", undefined],
    ["a defect", [deny("internal_error"), request, context, new Error("oops")], "warn", "oops"],
    [
      "a store that failed",
      [deny("store_unavailable"), request, context, new Error("no store", { cause: new Error("disk gone") })],
      "warn",
      "no store: disk gone",
    ],
    ["something thrown that is no error", [deny("internal_error"), undefined, context, "text"], "warn", "text"],
  ])("about %s has its severity and its cause", (_, args, level, cause) => {
    const { lines, tell } = denialLog();
    tell(...args);
    expect(lines.map((line) => [line.level, line.fields.cause])).toEqual([[level, cause]]);
  });

  const secret = secretOf("somebody's");
  const escaped = `${secret.slice(0, 20)}%41${secret.slice(21)}`;
  test.each<[string, Partial<ObservedRequest>, LogFields]>([
    ["a path", { target: `/v1/${secret}/x` }, { path: "/v1/…/x" }],
    [
      "the end of what is shown of a path",
      { target: `/${"y/".repeat(85)}${secret}` },
      { path: `/${"y/".repeat(85)}…` },
    ],
    ["a path, partly escaped", { target: `/v1/${escaped}` }, { path: "/v1/…" }],
    ["a query", { target: `/v1?api_key=${secret}` }, { path: "/v1" }],
    ["a fragment", { target: `/v1#${secret}` }, { path: "/v1#…" }],
    ["the whole target", { target: secret }, { path: "…" }],
    ["a host", { authority: `${secret}.api.test` }, { host: "….api.test" }],
    ["user information", { authority: `user:${secret}@api.test` }, { host: "user:…@api.test" }],
    ["a method", { method: secret }, { method: "…" }],
  ])("shows nothing of a secret in %s", (_, changed, shown) => {
    const { lines, tell } = denialLog();
    tell(deny("ambiguous_path"), { ...request, ...changed }, context);
    expect(lines[0]?.fields).toMatchObject(shown);
  });

  test("shows an id, which is no secret, and at most 200 characters of a path", () => {
    const { lines, tell } = denialLog();
    const id = "0b9cb6c1-7a64-4b0b-8f52-6f2c1b7f5a10";
    tell(deny("ambiguous_path"), { ...request, target: `/v1/${id}/${"z/".repeat(500)}` }, context);
    expect(lines[0]?.fields.path).toBe(`/v1/${id}/${"z/".repeat(500)}`.slice(0, 200));
  });
});

describe("the denial log", () => {
  test("writes ten lines a second, and then how many it kept to itself", () => {
    const { lines, tell } = denialLog();
    const denyAt = (nowMs: number) => tell(deny("no_credential"), request, { nowMs, decisionId: String(nowMs) });
    for (let at = 1_000; at < 2_000; at++) denyAt(at);
    expect(lines).toHaveLength(10);
    denyAt(2_000);
    expect(lines.slice(10).map(({ message, fields }) => [message, fields.suppressed, fields.decision_id])).toEqual([
      ["990 more denials", 990, undefined],
      ["denied: no_credential", undefined, "2000"],
    ]);
  });

  test("keeps nothing to itself at ten a second", () => {
    const { lines, tell } = denialLog();
    for (let at = 1_000; at <= 4_000; at += 100) tell(deny("no_credential"), request, { nowMs: at, decisionId: "d" });
    expect(lines.map(({ message }) => message)).toEqual(Array.from({ length: 31 }, () => "denied: no_credential"));
  });

  test.each(["unknown_key", "malformed_credential"] as const)(
    "writes three lines in ten seconds about %s, and those take none from other denials",
    (reason) => {
      const { lines, tell } = denialLog();
      for (let nowMs = 0; nowMs < 20_000; nowMs += 10)
        tell(deny(reason), request, { nowMs, decisionId: String(nowMs) });
      const three = (from: number) => [from, from + 10, from + 20].map(String);
      expect(lines.map(({ fields }) => fields.decision_id)).toEqual([...three(0), ...three(10_000)]);
      for (let count = 0; count < 10; count++) tell(deny("no_credential"), request, { nowMs: 19_999, decisionId: "d" });
      expect(lines.slice(6).map(({ message }) => message)).toEqual(Array(10).fill("denied: no_credential"));
    },
  );
});
