import { expect, test } from "vitest";
import { FRAME } from "../../../src/h2/frame.ts";
import { frame } from "../../h2/support/frames.ts";
import { tryConnections } from "./attempt.ts";
import { framesIn, sessionAt, written } from "./sessions.ts";

test("frames are cut out of what was recorded, and put together again as they were", () => {
  const bytes = Buffer.concat(sessionAt(0, 0).map(written));
  expect(framesIn(bytes)).toEqual(sessionAt(0, 0));
  expect(framesIn(bytes).length).toBeGreaterThan(3);
  expect(framesIn(frame(FRAME.ping, 1, 0, Buffer.alloc(8)).subarray(0, -1))).toEqual([
    { type: FRAME.ping, flags: 1, streamId: 0, payload: Buffer.alloc(7), lie: 1 },
  ]);
});

test("nothing is found in a short run against the engine", async () => {
  const campaign = { seed: 1, count: 60, untilMs: Number.POSITIVE_INFINITY, command: "npm run fuzz:h2 --" };
  expect(await tryConnections(campaign)).toMatch(/^\d+ connections in 60 rounds, /);
});
