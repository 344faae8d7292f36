import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { withoutWaiting } from "../../src/store/without-waiting.ts";

function timeoutOf(db: Database.Database): unknown {
  return db.pragma("busy_timeout", { simple: true });
}

test("what is done without waiting does not wait for a lock, and what comes after it does, also where it fails", () => {
  const db = new Database(":memory:", { timeout: 1_234 });
  onTestFinished(() => {
    db.close();
  });
  expect(withoutWaiting(db, () => timeoutOf(db))).toBe(0);
  expect(timeoutOf(db)).toBe(1_234);
  const failing = () => {
    throw new Error("busy");
  };
  expect(() => withoutWaiting(db, failing)).toThrow("busy");
  expect(timeoutOf(db)).toBe(1_234);
});
