import { statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createExamination } from "../../src/serve/examination.ts";
import { damagePages, makeLargeStore } from "../store/support/large-store.ts";
import { examinersOf } from "../support/examiners.ts";
import { folderForThisTest } from "../support/for-this-test.ts";
import { until } from "../support/until.ts";

/** The examination of a large store of its own, and what it has told. */
function examined(serving = Promise.resolve()) {
  const database = join(folderForThisTest(), "keyward.db");
  makeLargeStore(database);
  const lines: string[] = [];
  const damages: string[] = [];
  const examination = createExamination(
    { database, mode: "all" },
    serving,
    (sentence) => damages.push(sentence),
    (_, message) => lines.push(message),
  );
  const { dev, ino } = statSync(database, { bigint: true });
  return { database, lines, damages, examination, file: `${dev}:${ino}` };
}

const BEGUN = "the database is large: it is read through while it is served";
const WHOLE = "the database was read through and is whole";

test("a file is read through once, whoever asks and however often", async () => {
  const { examination, lines, file } = examined();
  expect(examination.unreadSeconds()).toBe(0);
  examination.request(file);
  examination.request(file);
  expect(examination.unreadSeconds()).toBeGreaterThan(0);
  await until("it is read", () => examination.unreadSeconds() === 0);
  examination.request(file);
  expect(examination.unreadSeconds()).toBe(0);
  expect(lines).toEqual([BEGUN, WHOLE]);
});

test("another file in its place that is opened meanwhile is read through as well", async () => {
  const serving = Promise.withResolvers<void>();
  const { examination, lines, file } = examined(serving.promise);
  examination.request("another");
  examination.request(file);
  serving.resolve();
  await until("it is read", () => examination.unreadSeconds() === 0);
  examination.request("a third");
  await until("it is read again", () => examination.unreadSeconds() === 0);
  expect(lines).toEqual([BEGUN, WHOLE, BEGUN, WHOLE]);
});

test("nothing is read before the program serves, and damage is told once", async () => {
  const serving = Promise.withResolvers<void>();
  const { database, examination, damages, file } = examined(serving.promise);
  examination.request(file);
  expect(examinersOf(process.pid)).toEqual([]);
  damagePages(database, "keys", "copy_77");
  serving.resolve();
  await until("it is told", () => damages.length > 0);
  expect(damages).toEqual([expect.stringContaining("it is damaged or cut off")]);
  expect(examination.unreadSeconds()).toBeGreaterThan(0);
});
