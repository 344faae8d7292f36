import { describe, expect, test } from "vitest";
import { createAuditVerifier } from "../../src/store/audit-verifier.ts";
import { local } from "./support/keys.ts";
import { newStore, openedStore } from "./support/stores.ts";
import { HOUR_MS, tamper, verified, writeEvents } from "./support/trail.ts";

const COUNT = 8;
const program = { name: "retention", source: "local" };

/** A store of 8 events. */
function wholeStore() {
  const { store, path } = newStore();
  writeEvents(store, COUNT);
  return { store, path };
}

/** A store of which the first 4 of 8 events were purged, so that the purge is the 9th. */
function purgedStore() {
  const made = wholeStore();
  expect(made.store.purgeAudit(4.5 * HOUR_MS, 100, program, 9 * HOUR_MS)).toEqual({ removed: 4 });
  return made;
}

/** Swaps two rows, each with all that was written in it. */
const swap = (one: number, other: number) =>
  `UPDATE audit SET seq = -seq WHERE seq IN (${one}, ${other});
   UPDATE audit SET seq = ${one + other} + seq WHERE seq < 0;`;

const CHANGED = "it is not as it was written";
const cut = (rows: string) => `the end is cut off: ${rows} missing`;

describe.each([
  ["before a purge", wholeStore, COUNT],
  ["after a purge", purgedStore, COUNT + 1],
])("%s", (_, open, last) => {
  test("a trail that nobody touched is whole", () => {
    expect(verified(open().store)).toBe(undefined);
  });

  test.each<[title: string, sql: string, seq: number, problem: string]>([
    ["a changed detail", "UPDATE audit SET detail = '{}' WHERE seq = 6", 6, CHANGED],
    ["a detail that is no JSON any more", "UPDATE audit SET detail = '{' WHERE seq = 6", 6, CHANGED],
    ["a time that is a millisecond later", "UPDATE audit SET at_ms = at_ms + 1 WHERE seq = 6", 6, CHANGED],
    ["another actor", "UPDATE audit SET actor = 'locaal' WHERE seq = 7", 7, CHANGED],
    ["a changed hash", "UPDATE audit SET hash = zeroblob(32) WHERE seq = 6", 6, CHANGED],
    ["a changed link", "UPDATE audit SET previous_hash = zeroblob(32) WHERE seq = 6", 6, CHANGED],
    ["a changed revision", "UPDATE audit SET revision = 99 WHERE seq = 8", 8, CHANGED],
    ["a removed row", "DELETE FROM audit WHERE seq = 6", 6, "row 6 is missing"],
    ["removed rows", "DELETE FROM audit WHERE seq IN (6, 7)", 6, "rows 6 to 7 are missing"],
    ["the removed first row", "DELETE FROM audit WHERE seq = (SELECT min(seq) FROM audit)", 0, "missing"],
    ["two rows in each other's place", swap(6, 7), 6, "in its place stands what was written as row 7"],
    ["two rows far apart in each other's place", swap(5, 8), 5, "in its place stands what was written as row 8"],
    ["a row put in front of all", "UPDATE audit SET seq = -1 WHERE seq = 6", -1, "it stands where no row should be"],
    [
      "a row and its link taken out of the middle",
      "DELETE FROM audit WHERE seq = 6; UPDATE audit SET seq = 6 WHERE seq = 7; UPDATE audit SET seq = 7 WHERE seq = 8",
      6,
      "in its place stands what was written as row 7",
    ],
    ["the head taken away", "DELETE FROM audit_head", -1, "it is not the row that is noted down as the last"],
    [
      "a head of another hash",
      "UPDATE audit_head SET hash = zeroblob(32)",
      -1,
      "it is not the row that is noted down as the last",
    ],
  ])("%s is found, at its row", (_, sql, seq, problem) => {
    const { store, path } = open();
    tamper(path, sql);
    const found = verified(store);
    expect(found?.problem).toContain(problem);
    const named: Record<number, number | undefined> = { 0: found?.seq, [-1]: sql.includes("seq = -1") ? -1 : last };
    expect(found?.seq).toBe(named[seq] ?? seq);
  });

  test("a last row that was cut off is missed", () => {
    const { store, path } = open();
    tamper(path, `DELETE FROM audit WHERE seq = ${last}`);
    expect(verified(store)).toEqual({ seq: last, problem: cut(`row ${last} is`) });
  });

  test("last rows that were cut off are missed, also when others have followed", () => {
    const { store, path } = open();
    tamper(path, `DELETE FROM audit WHERE seq > ${last - 2}`);
    expect(verified(store)).toEqual({ seq: last - 1, problem: cut(`rows ${last - 1} to ${last} are`) });
    writeEvents(store, 2);
    expect(verified(store)).toEqual({ seq: last - 1, problem: `rows ${last - 1} to ${last} are missing` });
  });

  test("a cut with the head put back is told by the store's revision", () => {
    const { store, path } = open();
    writeEvents(store, 1);
    const head = `(SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1)`;
    tamper(path, `DELETE FROM audit WHERE seq = ${last + 1}; UPDATE audit_head SET (seq, hash) = ${head}`);
    const problem = `the end is cut off: the store is at revision 9, and row ${last} at 8`;
    expect(verified(store)).toEqual({ seq: last + 1, problem });
  });
});

describe("the beginning of a purged trail", () => {
  test("is not to be moved: no purge tells of it", () => {
    const { store, path } = purgedStore();
    tamper(
      path,
      `UPDATE audit_purged SET (seq, hash) = (SELECT seq, hash FROM audit WHERE seq = 6); DELETE FROM audit WHERE seq <= 6`,
    );
    const problem = "rows up to 6 are gone, and no purge is told of that removed them";
    expect(verified(store)).toEqual({ seq: 6, problem });
  });

  test("is not to be made up where there was no purge", () => {
    const { store, path } = wholeStore();
    tamper(
      path,
      `INSERT INTO audit_purged SELECT 1, seq, hash FROM audit WHERE seq = 2; DELETE FROM audit WHERE seq <= 2`,
    );
    expect(verified(store)?.problem).toBe("rows up to 2 are gone, and no purge is told of that removed them");
  });

  test("is missed where it is not noted down any more", () => {
    const { store, path } = purgedStore();
    tamper(path, "DELETE FROM audit_purged");
    expect(verified(store)).toEqual({ seq: 1, problem: "rows 1 to 4 are missing" });
  });
});

test("a purge while a trail is being read is followed", () => {
  const { store } = wholeStore();
  const before = store.listEvents({ order: "oldest first", limit: 2 });
  const verifier = createAuditVerifier(before.start);
  for (const event of before.events) expect(verifier.take(event)).toBe(undefined);
  store.purgeAudit(5.5 * HOUR_MS, 100, program, 9 * HOUR_MS);
  const after = store.listEvents({ order: "oldest first", after: before.through, limit: 100 });
  verifier.skipTo(after.start);
  for (const event of after.events) expect(verifier.take(event)).toBe(undefined);
  expect([verifier.finish(after), verifier.position.seq, verifier.count]).toEqual([undefined, 9, 6]);
});

test("a trail without events is whole, and a store at a later revision is not", () => {
  const { store } = newStore();
  expect(verified(store)).toBe(undefined);
  const verifier = createAuditVerifier(store.listEvents({ order: "oldest first", limit: 1 }).start);
  const head = { seq: 1, hash: "0".repeat(64) };
  expect(verifier.finish({ start: head, head, revision: 1 })).toEqual({ seq: 1, problem: cut("row 1 is") });
});

test("events of two programs on one database are one chain", () => {
  const { store, path } = wholeStore();
  openedStore(path).revokeAdminKey("akey_1", local, 10 * HOUR_MS);
  store.revokeAdminKey("akey_2", local, 11 * HOUR_MS);
  expect(verified(store)).toBe(undefined);
});
