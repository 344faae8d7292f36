import { durationMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "vitest";
import { UsageError } from "../../src/cli/exit.ts";
import { pairs, rateLimit, time } from "../../src/cli/values.ts";

describe("a rate limit", () => {
  test.each<[text: string, requests: number, windowMs: number]>([
    ["100/60s", 100, 60_000],
    ["100/1m", 100, 60_000],
    ["100/60", 100, 60_000],
    ["1/1000ms", 1, 1_000],
    ["1000000/31d", 1_000_000, 2_678_400_000],
    // What is out of bounds is for the API to refuse: it says the bound.
    ["0/60s", 0, 60_000],
    ["999999999/0s", 999_999_999, 0],
  ])("%s is read", (text, requests, windowMs) => {
    const limit = rateLimit("--rate-limit", text);
    expect([limit.requests, durationMs(limit.window)]).toEqual([requests, windowMs]);
  });

  test.each([
    "-1/60s",
    "+1/60s",
    "100",
    "100/",
    "/60s",
    "/",
    "1e3/60s",
    "1.5/60s",
    "1,000/60s",
    "0x64/60s",
    "100/60x",
    "100/-60s",
    "100/1.5s",
    "100/never",
    "100/60s/60s",
    "100 / 60s",
    "100/60s ",
    "100/60s\n",
    "100:60s",
    "99999999999/1s",
    "never",
  ])("is not read from %j, and the error says how one is written", (text) => {
    const message = `--rate-limit ${text} must be REQUESTS/WINDOW such as 100/60s or 10000/24h`;
    expect(() => rateLimit("--rate-limit", text)).toThrow(new UsageError(message));
  });
});

describe("pairs of name and value", () => {
  test.each<[title: string, texts: string[], entries: [string, string][]]>([
    ["none", [], []],
    ["one", ["team=payments"], [["team", "payments"]]],
    [
      "several, in their order",
      ["b=1", "a=2"],
      [
        ["b", "1"],
        ["a", "2"],
      ],
    ],
    ["a value with equals signs", ["query=a=b=="], [["query", "a=b=="]]],
    ["an empty value", ["team="], [["team", ""]]],
    ["spaces, which stay", [" team = a b "], [[" team ", " a b "]]],
    [
      "names that JavaScript's objects have",
      ["__proto__=x", "constructor=y"],
      [
        ["__proto__", "x"],
        ["constructor", "y"],
      ],
    ],
    [
      "names that differ in case",
      ["a=1", "A=1"],
      [
        ["a", "1"],
        ["A", "1"],
      ],
    ],
  ])("are read: %s", (_, texts, entries) => {
    expect(Object.entries(pairs("--metadata", texts))).toEqual(entries);
  });

  test.each<[title: string, texts: string[], message: string]>([
    ["without an equals sign", ["team"], "--metadata team must be NAME=VALUE"],
    ["without a name", ["a=1", "=payments"], "--metadata =payments must be NAME=VALUE"],
    ["of nothing", [""], "--metadata  must be NAME=VALUE"],
    ["twice of the same name", ["a=1", "b=2", "a=1"], "--metadata names a twice"],
    ["twice of a name that objects have", ["__proto__=1", "__proto__=2"], "--metadata names __proto__ twice"],
  ])("are not read: %s", (_, texts, message) => {
    expect(() => pairs("--metadata", texts)).toThrow(new UsageError(message));
  });
});

describe("a time", () => {
  test.each<[text: string, ms: number]>([
    ["2028-02-29T00:00:00Z", Date.UTC(2028, 1, 29)],
    ["2027-02-28T23:59:59Z", Date.UTC(2027, 1, 28, 23, 59, 59)],
    ["2027-02-28T23:59:59-01:00", Date.UTC(2027, 2, 1, 0, 59, 59)],
  ])("%s is read", (text, ms) => {
    expect(timestampMs(time("--not-before", text))).toBe(ms);
  });

  test.each(["2027-02-29T00:00:00Z", "2027-02-30T00:00:00Z", "2027-13-01T00:00:00Z", "2027-04-31T00:00:00+01:00"])(
    "%s is in no calendar",
    (text) => {
      expect(() => time("--not-before", text)).toThrow(UsageError);
    },
  );
});
