import { expect, test } from "vitest";
import type { KeyHistory, Place, Reading, State } from "./history.ts";
import { unknownSince } from "./history.ts";
import { judge } from "./judge.ts";

/** A change that is sent at one time and answered at another; left out: never. */
function state(answer: string, begunMs: number, acknowledgedMs?: number, enforced = true): State {
  return { answer, begunMs, acknowledgedMs: acknowledgedMs ?? Number.POSITIVE_INFINITY, enforced };
}

function reading(answer: string, begunMs: number, endedMs: number, more: Partial<Reading> = {}): Reading {
  return { observer: "one", place: "same", begunMs, endedMs, answer, ...more };
}

const other = { place: "other" as Place };
const again = { observer: "two" };

/** Made from 10 to 20, revoked from 1000 to 1010. */
const MADE = state("allowed v:0", 10, 20);
const REVOKED = state("key_revoked", 1000, 1010);
const CHANGED = state("allowed v:1", 500, 510);
/** As above, but without an answer, or with one that did not say that it is enforced. */
const REVOKING = state("key_revoked", 1000);
const NOT_ENFORCED = state("key_revoked", 1000, 1010, false);
const DISABLED = [state("key_disabled", 500, 510), state("allowed v:0", 600, 610), state("key_disabled", 700, 710)];

test.each<[string, readonly State[], readonly Reading[]]>([
  ["an allow before a revocation", [MADE, REVOKED], [reading("allowed v:0", 900, 901)]],
  ["an allow that began before the revocation was answered", [MADE, REVOKED], [reading("allowed v:0", 1010, 1500)]],
  ["a denial while the revocation is on its way", [MADE, REVOKED], [reading("key_revoked", 1001, 1002)]],
  ["a denial that began before the revocation was sent", [MADE, REVOKED], [reading("key_revoked", 999, 1000)]],
  ["an allow within 100 ms in another process", [MADE, REVOKED], [reading("allowed v:0", 1110, 1111, other)]],
  ["an allow after a revocation that nobody answered", [MADE, REVOKING], [reading("allowed v:0", 9000, 9001)]],
  ["a denial by a revocation that nobody answered", [MADE, REVOKING], [reading("key_revoked", 9000, 9001)]],
  ["an allow after one that was not enforced", [MADE, NOT_ENFORCED], [reading("allowed v:0", 1100, 1101)]],
  ["an unknown key while it is made", [MADE], [reading("unknown_key", 15, 16), reading("allowed v:0", 17, 18)]],
  [
    "connections that see changes in any order",
    [MADE, CHANGED],
    [reading("allowed v:1", 501, 502), reading("allowed v:0", 503, 504, again)],
  ],
  [
    "a key that is disabled again",
    [MADE, ...DISABLED],
    [reading("key_disabled", 520, 521), reading("allowed v:0", 620, 621), reading("key_disabled", 720, 721)],
  ],
])("%s is in order", (_, states, readings) => {
  expect(judge(historyOf(states, readings))).toEqual([]);
});

test.each<[string, readonly State[], readonly Reading[], object]>([
  [
    "an allow after a revocation",
    [MADE, REVOKED],
    [reading("allowed v:0", 1010.01, 1011)],
    { kind: "stale", lateMs: 0.01 },
  ],
  [
    "a key that is still unknown once it is made",
    [MADE],
    [reading("unknown_key", 21, 22)],
    { kind: "stale", lateMs: 1 },
  ],
  ["scopes from before a change", [MADE, CHANGED], [reading("allowed v:0", 511, 512)], { kind: "stale", lateMs: 1 }],
  [
    "an allow after 100 ms in another process",
    [MADE, REVOKED],
    [reading("allowed v:0", 1110.5, 1111, other)],
    { kind: "stale", lateMs: 100.5 },
  ],
  [
    "an allow after 100 ms in another process, of a change that was not said to be enforced",
    [MADE, NOT_ENFORCED],
    [reading("allowed v:0", 1111, 1112, other)],
    { kind: "stale", lateMs: 101 },
  ],
  [
    "an allow after a later change was enforced",
    [MADE, NOT_ENFORCED, state("key_revoked", 1100, 1110)],
    [reading("allowed v:0", 1111, 1112)],
    { kind: "stale", lateMs: 101 },
  ],
  ["an allow before the key was made", [MADE], [reading("allowed v:0", 8, 9)], { kind: "early", lateMs: 0 }],
  ["a denial before the revocation was sent", [MADE, REVOKED], [reading("key_revoked", 998, 999)], { kind: "early" }],
  ["scopes that the key never had", [MADE], [reading("allowed v:7", 30, 31)], { kind: "never", lateMs: 0 }],
  ["a reason that nothing explains", [MADE], [reading("key_expired", 30, 31)], { kind: "never", lateMs: 0 }],
  [
    "an allow by a connection that has seen the revocation, before it was answered",
    [MADE, REVOKED],
    [reading("key_revoked", 1001, 1002), reading("allowed v:0", 1003, 1004)],
    { kind: "back", lateMs: 0 },
  ],
  [
    "older scopes in another process where the newer ones were seen, within 100 ms",
    [MADE, CHANGED],
    [reading("allowed v:1", 501, 502, other), reading("allowed v:0", 520, 521, other)],
    { kind: "back", lateMs: 10 },
  ],
])("%s is found", (_, states, readings, expected) => {
  const findings = judge(historyOf(states, readings)).map(({ lateMs, ...rest }) => ({
    ...rest,
    lateMs: rounded(lateMs),
  }));
  expect(findings).toEqual([expect.objectContaining({ key: "a key", reading: readings.at(-1), ...expected })]);
});

function historyOf(states: readonly State[], readings: readonly Reading[]): KeyHistory {
  return { name: "a key", states: [unknownSince(), ...states], readings: [...readings] };
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}
