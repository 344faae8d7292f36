import { describe, expect, test } from "vitest";
import { type Denied, deny } from "../../src/check/decide.ts";
import type { ObservedRequest } from "../../src/check/ports.ts";
import { REASON_NAMES } from "../../src/check/reason.ts";
import { createRingBuffer, DenialRing, RING_SLOTS } from "../../src/observe/denial-ring.ts";
import { ruleOf } from "../support/policies.ts";
import { recordOf, secretOf } from "../support/sample-keys.ts";

const REQUEST: ObservedRequest = {
  method: "GET",
  authority: "api.test",
  target: "/v1/orders?page=2",
  sourceAddress: "192.0.2.1",
};
const RULE = ruleOf({ route: "/v1/**" });

/** A decision id, another for every number. */
const idOf = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;

function ringOf(slots?: number) {
  const buffer = createRingBuffer(slots);
  const ring = new DenialRing(buffer);
  const write = (
    number: number,
    denied: Denied = deny("no_credential"),
    request: ObservedRequest | undefined = REQUEST,
    address: string | undefined = "192.0.2.1",
  ) => ring.write(denied, request, { decisionId: idOf(number), nowMs: 1_700_000_000_000 + number }, address);
  return { buffer, write, find: (number: number) => new DenialRing(buffer).find(idOf(number)) };
}

test("a denial is found by its id, with all that is known of it, and without its query", () => {
  const { write, find } = ringOf();
  write(1, deny("insufficient_scope", RULE, recordOf({ id: "key_1" })), REQUEST, "203.0.113.7");
  expect(find(1)).toEqual({
    decisionId: idOf(1),
    atMs: 1_700_000_000_001,
    reason: "insufficient_scope",
    keyId: "key_1",
    method: "GET",
    path: "/v1/orders",
    host: "api.test",
    route: "/v1/**",
    address: "203.0.113.7",
  });
  expect(find(2)).toBeUndefined();
});

test("of what cannot be read as a request, nothing is told but the reason", () => {
  const { buffer, write, find } = ringOf();
  write(1, deny("insufficient_scope", RULE, recordOf({ id: "key_1" })));
  new DenialRing(buffer).write(deny("malformed_request"), undefined, { decisionId: idOf(2), nowMs: 5 }, undefined);
  const nothing = { keyId: "", method: "", path: "", host: "", route: "", address: "" };
  expect(find(2)).toEqual({ decisionId: idOf(2), atMs: 5, reason: "malformed_request", ...nothing });
});

test("every reason can be told", () => {
  const { write, find } = ringOf();
  for (const [index, reason] of REASON_NAMES.entries()) write(index, deny(reason));
  expect(REASON_NAMES.map((_, index) => find(index)?.reason)).toEqual(REASON_NAMES);
});

describe("a ring that is full", () => {
  test.each([1, 3, 64])("of %i remembers the last so many and no others", (slots) => {
    const { write, find } = ringOf(slots);
    const written = 2 * slots + 2;
    for (let number = 0; number < written; number++) write(number);
    const found = Array.from({ length: written }, (_, number) => number).filter((number) => find(number) !== undefined);
    expect(found).toEqual(Array.from({ length: slots }, (_, index) => written - slots + index));
  });

  test("of the size of a check thread remembers some thousand in no more memory than before", () => {
    const { buffer, write, find } = ringOf();
    for (let number = 0; number < 3 * RING_SLOTS; number++) write(number);
    expect(RING_SLOTS).toBeGreaterThanOrEqual(1_000);
    expect(buffer.byteLength).toBeLessThanOrEqual(5 * 1024 * 1024);
    const ends = [2 * RING_SLOTS - 1, 2 * RING_SLOTS, 3 * RING_SLOTS - 1];
    expect(ends.map((number) => find(number) !== undefined)).toEqual([false, true, true]);
  });

  test("keeps nothing of a long text of before in a slot", () => {
    const { write, find } = ringOf(1);
    write(1, deny("route_denied", RULE), { ...REQUEST, target: `/${"x/".repeat(100)}` });
    write(2, deny("route_denied", RULE), { ...REQUEST, target: "/y" });
    expect(find(2)?.path).toBe("/y");
  });

  test("goes on where another thread takes over", () => {
    const { buffer, write, find } = ringOf(2);
    write(1);
    new DenialRing(buffer).write(deny("no_credential"), REQUEST, { decisionId: idOf(2), nowMs: 1 }, undefined);
    expect([find(1)?.decisionId, find(2)?.decisionId]).toEqual([idOf(1), idOf(2)]);
  });
});

test("a slot over which a thread died is not read, and is written again", () => {
  const { buffer, write, find } = ringOf(1);
  write(1);
  const version = new Int32Array(buffer, 1_024, 1);
  version[0] = (version[0] ?? 0) + 1;
  expect(find(1)).toBeUndefined();
  write(2);
  expect(find(2)?.decisionId).toBe(idOf(2));
  expect((version[0] ?? 1) % 2).toBe(0);
});

describe("texts", () => {
  test.each<[string, Partial<ObservedRequest>, object]>([
    ["lose long words: a method", { method: "M".repeat(41) }, { method: "…" }],
    ["are cut: a path", { target: `/${"x/".repeat(200)}` }, { path: `/${"x/".repeat(127)}` }],
    ["are cut at whole characters", { target: `/${"ä/".repeat(200)}` }, { path: `/${"ä/".repeat(84)}ä` }],
    ["are cut: a host", { authority: "h.".repeat(200) }, { host: `${"h.".repeat(127)}h` }],
    ["that nobody sent are empty", { authority: undefined, target: undefined }, { host: "", path: "" }],
    ["have no key: a path", { target: `/v1/${secretOf("a")}/x` }, { path: "/v1/…/x" }],
    ["have no key: a host", { authority: `${secretOf("a")}.test` }, { host: "….test" }],
    ["have no key: a method", { method: secretOf("a").toUpperCase() }, { method: "…" }],
    ["have no key: a query", { target: `/v1?api_key=${secretOf("a")}` }, { path: "/v1" }],
  ])("%s", (_, request, expected) => {
    const { buffer, write, find } = ringOf();
    write(1, deny("route_denied", RULE), { ...REQUEST, ...request });
    expect(find(1)).toMatchObject(expected);
    expect(Buffer.from(buffer).includes(secretOf("a").slice(10, 30))).toBe(false);
  });

  test("that would be a forged address hold no key", () => {
    const { write, find } = ringOf();
    write(1, deny("route_denied", RULE), REQUEST, secretOf("a"));
    expect(find(1)?.address).toBe("…");
  });
});

test("an id in another field, or of another length, finds nothing", () => {
  const { buffer, write } = ringOf();
  write(1, deny("route_denied", ruleOf({ route: idOf(7) })), { ...REQUEST, target: `/${idOf(8)}`, authority: idOf(9) });
  const ring = new DenialRing(buffer);
  for (const id of [idOf(7), idOf(8), idOf(9), "", "0", `${idOf(1)}0`, idOf(1).slice(1)]) {
    expect(ring.find(id)).toBeUndefined();
  }
  expect(ring.find(idOf(1))).toBeDefined();
});
