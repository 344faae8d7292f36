import { expect, test } from "vitest";
import { readTraceParent } from "../../../src/observe/traces/traceparent.ts";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const spanId = "00f067aa0ba902b7";
const whole = `00-${traceId}-${spanId}-01`;

test.each([
  ["is sampled", whole, true],
  ["is not sampled", `00-${traceId}-${spanId}-00`, false],
  ["has another flag", `00-${traceId}-${spanId}-02`, false],
  ["has more flags than one", `00-${traceId}-${spanId}-ff`, true],
  ["is of a later version", `cc-${traceId}-${spanId}-01`, true],
  ["is of a later version, and longer", `cc-${traceId}-${spanId}-01-what-comes`, true],
])("one that %s is read", (_, text, sampled) => {
  expect(readTraceParent(text)).toEqual({ traceId, spanId, sampled });
});

test.each([
  ["is empty", ""],
  ["is a character short", whole.slice(0, -1)],
  ["is a character long", `${whole}1`],
  ["is of version 00, and longer", `${whole}-more`],
  ["is of a later version, and goes on without a dash", `cc${whole.slice(2)}1`],
  ["is of version ff", `ff${whole.slice(2)}`],
  ["has a version in upper case", `CC${whole.slice(2)}`],
  ["has no trace", `00-${"0".repeat(32)}-${spanId}-01`],
  ["has no span", `00-${traceId}-${"0".repeat(16)}-01`],
  ["has upper case", `00-${traceId.toUpperCase()}-${spanId}-01`],
  ["has a letter that is no digit", `00-${traceId.slice(1)}g-${spanId}-01`],
  ["has another sign for a dash", whole.replaceAll("-", "_")],
  ["has flags that are no digits", `${whole.slice(0, -1)}x`],
])("one that %s is none", (_, text) => {
  expect(readTraceParent(text)).toBeUndefined();
});
