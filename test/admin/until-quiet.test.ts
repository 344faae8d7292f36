import { describe, expect, test } from "vitest";
import { serveOnce } from "./support/served.ts";

const served = serveOnce();

interface Rotated {
  rotated: { untilQuiet?: string; graceEndsAt: string; updatedAt: string; state: string };
}

async function rotate(more: object) {
  const { answer: made } = await served().post("KeyService/CreateKey", { name: "old" });
  const { id } = made.key as unknown as { id: string };
  const nowMs = Date.now();
  const { status, answer, refused } = await served().post("KeyService/RotateKey", { key: id, ...more });
  return { status, refused, nowMs, rotated: (answer as unknown as Rotated).rotated };
}

describe("a rotation until the old key is quiet", () => {
  test.each([
    ["ends after 30 days in any case", { untilQuiet: "86400s" }, 2_592_000],
    ["ends with its grace in any case", { untilQuiet: "60s", grace: "60s" }, 60],
    ["is the same when it is only judged", { untilQuiet: "86400s", validateOnly: true }, 2_592_000],
  ])("%s", async (_, more, graceSeconds) => {
    const { rotated, nowMs } = await rotate(more);
    expect(rotated).toMatchObject({ untilQuiet: more.untilQuiet, state: "KEY_STATE_ROTATED" });
    const graceMs = Date.parse(rotated.graceEndsAt) - nowMs;
    expect(graceMs).toBeGreaterThanOrEqual(graceSeconds * 1_000);
    expect(graceMs).toBeLessThan(graceSeconds * 1_000 + 20_000);
  });

  test.each([
    ["shorter than a second", { untilQuiet: "0s" }, "must be whole seconds >= 1 and <= 2592000"],
    ["longer than the hard end", { untilQuiet: "61s", grace: "60s" }, "must be whole seconds >= 1 and <= 60"],
    ["beside no grace at all", { untilQuiet: "1s", grace: "0s" }, "must be whole seconds >= 1 and <= 0"],
    ["in fractions", { untilQuiet: "1.5s" }, "must be whole seconds >= 1 and <= 2592000"],
  ])("is refused with a period %s", async (_, more, problem) => {
    expect((await rotate(more)).refused).toMatchObject({ fields: ["until_quiet"], descriptions: [problem] });
  });
});
