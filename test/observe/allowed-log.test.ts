import { describe, expect, test } from "vitest";
import { decide, decidePublic, deny } from "../../src/check/decide.ts";
import { type AllowedLine, createAllowedLog } from "../../src/observe/allowed-log.ts";
import { judging, ruleOf } from "../support/policies.ts";
import { recordOf } from "../support/sample-keys.ts";

const rule = ruleOf({ route: "/v1/**" });
const target = { method: "GET", path: "/v1/orders", address: undefined };
const allowed = decide(target, rule, recordOf({ id: "key_1" }), 0, judging);
const open = decidePublic(ruleOf({ access: "public", route: "/healthz" }));
const denied = deny("key_revoked", rule, recordOf({ id: "key_1" }));

function allowedLog(which: "none" | "sampled" | "all") {
  const batches: (readonly AllowedLine[])[] = [];
  const lost = { lines: 0 };
  const log = createAllowedLog(
    which,
    (lines) => batches.push(lines),
    () => lost.lines++,
  );
  const note = (times: number, nowMs = 1_000, decision = allowed) => {
    for (let index = 0; index < times; index++) log.note(decision, { nowMs, decisionId: `d${index}` });
  };
  return { log, note, batches, lost };
}

describe("the log of allowed checks", () => {
  test("names decision, key and route of each, and tells of no denial", () => {
    const { log, note, batches } = allowedLog("all");
    note(1);
    note(1, 1_001, open);
    note(1, 1_002, denied);
    log.tick();
    expect(batches).toEqual([
      [
        { atMs: 1_000, decisionId: "d0", keyId: "key_1", route: "/v1/**" },
        { atMs: 1_001, decisionId: "d0", keyId: undefined, route: "/healthz" },
      ],
    ]);
  });

  test("hands over a batch only once the one before was read, and nothing where there is nothing", () => {
    const { log, note, batches } = allowedLog("all");
    log.tick();
    note(2);
    log.tick();
    note(3);
    log.tick();
    expect(batches.map(({ length }) => length)).toEqual([2]);
    log.taken();
    log.tick();
    expect(batches.map(({ length }) => length)).toEqual([2, 3]);
  });

  test("holds 5,000 lines, and counts those for which there is no room", () => {
    const { log, note, batches, lost } = allowedLog("all");
    note(5_003);
    expect(lost.lines).toBe(3);
    log.tick();
    note(1);
    expect([batches[0]?.length, lost.lines]).toEqual([5_000, 3]);
  });

  test("tells at its end what is left, also while a batch is being read", () => {
    const { log, note, batches } = allowedLog("all");
    note(1);
    log.tick();
    note(2);
    log.finish();
    expect(batches.map(({ length }) => length)).toEqual([1, 2]);
  });

  test("sampled, has ten lines a second; the others are left out and not lost", () => {
    const { log, note, batches, lost } = allowedLog("sampled");
    note(25, 1_000);
    note(25, 1_999);
    note(3, 2_000);
    log.tick();
    expect([batches[0]?.length, lost.lines]).toEqual([13, 0]);
  });

  test("turned off, has none", () => {
    const { log, note, batches, lost } = allowedLog("none");
    note(6_000);
    log.tick();
    expect([batches, lost.lines]).toEqual([[], 0]);
  });
});
