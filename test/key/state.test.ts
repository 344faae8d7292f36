import { expect, test } from "vitest";
import { stateOf } from "../../src/key/state.ts";
import { recordOf } from "../support/sample-keys.ts";

test.each([
  ["without an end", {}, 1_000, "active"],
  ["one millisecond before its end", { expiresAtMs: 1_000 }, 999, "active"],
  ["at its end", { expiresAtMs: 1_000 }, 1_000, "expired"],
  ["after its end", { expiresAtMs: 1_000 }, 1_001, "expired"],
  ["that ended in 1970", { expiresAtMs: 0 }, 0, "expired"],
  ["revoked before its end", { expiresAtMs: 1_000, revoked: true }, 999, "revoked"],
  ["revoked, after its end", { expiresAtMs: 1_000, revoked: true }, 1_001, "revoked"],
  ["one millisecond before the end of its grace", { graceEndsAtMs: 1_000 }, 999, "rotated"],
  ["at the end of its grace", { graceEndsAtMs: 1_000 }, 1_000, "expired"],
  ["not valid yet", { notBeforeMs: 2_000 }, 1_000, "active"],
] as const)("a key %s is %3$s", (_title, more, nowMs, state) => {
  expect(stateOf(recordOf(more), nowMs)).toBe(state);
});
