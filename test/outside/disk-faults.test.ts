import { expect, onTestFinished, test } from "vitest";
import { createWorld, expectNothingLost, type Facts, factsOf, SOUND } from "../faults/support/world.ts";
import { startChild } from "../support/child.ts";
import { until } from "../support/until.ts";

// What happens to a program that serves when its disk refuses to write: strace lets the system calls on the database's files
// fail, as they do on a disk that is full, read-only or broken.

/** What the calls of a program on its database's files come to, and what that looks like from outside. */
const FAULTS: readonly (readonly [string, string, Partial<Facts>])[] = [
  ["is full", "pwrite64:error=ENOSPC", { change: "full" }],
  ["has been made read-only", "pwrite64:error=EROFS", { change: "io_error" }],
  ["fails to write", "pwrite64:error=EIO", { change: "io_error" }],
  ["fails to keep what was written", "fsync,fdatasync:error=EIO", { change: "io_error" }],
  ["takes a second for everything it keeps", "fsync,fdatasync:delay_enter=1000000", {}],
];

test.each(FAULTS)(
  "a program whose disk %s goes on with checks, and recovers without a restart",
  async (_, inject, during) => {
    const world = await createWorld();
    const { pid, database } = world.keyward;
    const calls = inject.slice(0, inject.indexOf(":"));
    const files = [database, `${database}-wal`].flatMap((file) => ["-P", file]);
    const strace = await startChild({
      name: "strace (Debian package strace)",
      command: "strace",
      args: ["-f", "-p", String(pid), ...files, "-e", `trace=${calls}`, "-e", `inject=${inject}`],
      ready: async ({ stderr }) => /attached/.test(stderr()),
    });
    onTestFinished(() => strace.stop());
    expect(await factsOf(world)).toEqual({ ...SOUND, ...during });
    expect(await factsOf(world)).toEqual({ ...SOUND, ...during });
    await strace.stop();
    await until("it is sound again", async () => (await fetch(`http://${world.keyward.ops}/readyz`)).status === 200);
    expect(await factsOf(world)).toEqual(SOUND);
    await expectNothingLost(world);
  },
);
