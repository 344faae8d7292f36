import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { HOUR_MS, tamper, writeEvents } from "../store/support/trail.ts";
import { adminCall, createKey } from "../support/admin-call.ts";
import { startChild } from "../support/child.ts";
import { cleanEnvironment, KEYWARD_MAIN, runCli } from "../support/cli.ts";
import { withStore } from "../support/direct-store.ts";
import { keywardForThisTest } from "../support/for-this-test.ts";
import { type Keyward, startKeyward } from "../support/keyward.ts";
import { until } from "../support/until.ts";

let keyward: Keyward;
beforeAll(async () => {
  keyward = await startKeyward();
  withStore(keyward, (store) => writeEvents(store, 5));
});
afterAll(() => keyward.stop());

const audit = (...args: string[]) => keyward.cli("audit", ...args);
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const HEAD = /^\d+:[0-9a-f]{64}$/;

/** The lines of a table, in columns. */
const rows = (stdout: string) =>
  stdout
    .trimEnd()
    .split("\n")
    .map((line) => line.split(/ {2,}/));

describe("audit list", () => {
  test("prints a line an event, the latest first", async () => {
    const { id } = await createKey(keyward.adminSocket, { name: "shop" });
    const { code, stdout, stderr } = await audit("list", "--limit", "2");
    expect([code, stderr]).toEqual([0, "There may be more; --limit asks for more than 2.\n"]);
    const [head, latest, ...others] = rows(stdout);
    expect(head).toEqual(["SEQ", "AT", "ACTOR", "SOURCE", "ACTION", "TARGET", "DETAIL"]);
    const [seq, at, ...what] = latest ?? [];
    expect([Number(seq) > 5, at]).toEqual([true, expect.stringMatching(TIME)]);
    expect(what.slice(0, 4)).toEqual(["local", "local", "keys.create", id]);
    expect(others).toHaveLength(1);
  });

  test.each<[flags: string[], seqs: string[]]>([
    [
      ["--until", "1970-01-01T03:30:00Z"],
      ["3", "2", "1"],
    ],
    [
      ["--since", "1970-01-01T02:00:00Z", "--until", "1970-01-01T04:00:00Z"],
      ["3", "2"],
    ],
    [["--target", "akey_4"], ["4"]],
    [["--target", "akey_4", "--action", "admin_keys.*", "--actor", "local"], ["4"]],
    [["--target", "akey_4", "--action", "admin_keys.revoke"], []],
    [["--target", "akey_4", "--since", "24h"], []],
    [["--tenant", "acme"], []],
  ])("with %j lists only those", async (flags, seqs) => {
    const { code, stdout } = await audit("list", ...flags, "-q");
    expect([code, stdout.split("\n").filter(Boolean)]).toEqual([0, seqs]);
  });

  test("says that there are none", async () => {
    expect(await audit("list", "--actor", "nobody")).toEqual({
      code: 0,
      stdout: "SEQ  AT  ACTOR  SOURCE  ACTION  TARGET  DETAIL\n",
      stderr: "no events\n",
    });
  });

  test("prints all of them as the API's own JSON, more than it gives at once", async () => {
    const many = await keywardForThisTest();
    withStore(many, (store) => writeEvents(store, 1_005));
    const { stdout } = await many.cli("audit", "list", "--limit", "5000", "-o", "json");
    const { events } = JSON.parse(stdout) as { events: { seq: string; hash: string }[] };
    expect(events.map(({ seq }) => Number(seq))).toEqual(Array.from({ length: 1_005 }, (_, index) => 1_005 - index));
    const yaml = await many.cli("audit", "list", "--limit", "1", "-o", "yaml");
    expect(parse(yaml.stdout)).toEqual({ events: [events[0]] });
  });

  test.each<[flags: string[], message: string]>([
    [["--limit", "0"], "--limit 0 must be a number >= 1 and <= 999999999"],
    [["--limit", "ten"], "--limit ten must be a number >= 1 and <= 999999999"],
    [
      ["--since", "yesterday"],
      "--since yesterday must be a time such as 2026-12-31T23:59:59Z, or a duration such as 24h or 90d",
    ],
    [["--until", "2026-13-01T00:00:00Z"], "--until 2026-13-01T00:00:00Z must be a time such as"],
    [["--actor", 'a"b'], '--actor a"b must hold no quotation mark and no backslash'],
  ])("with %j exits with 2", async (flags, message) => {
    const { code, stdout, stderr } = await audit("list", ...flags);
    expect([code, stdout, stderr.startsWith(`keyward: ${message}`)]).toEqual([2, "", true]);
  });
});

describe("audit watch", () => {
  /** A watch that goes on in the background. */
  async function watch(of: Keyward, ...flags: string[]) {
    const child = await startChild({
      name: "audit watch",
      command: process.execPath,
      args: [KEYWARD_MAIN, "audit", "watch", ...flags],
      cwd: of.folder,
      env: { ...cleanEnvironment(of.folder), KEYWARD_DATABASE: of.database },
      ready: async ({ stderr }) => stderr().includes("watching\n"),
    });
    onTestFinished(() => child.stop());
    return child;
  }

  test("prints a line for each event as it happens", async () => {
    const child = await watch(keyward, "--action", "keys.*");
    const { id } = await createKey(keyward.adminSocket);
    await adminCall(keyward.adminSocket, "KeyService/RevokeKey", { key: id });
    await until("both are told", () => child.stdout().split("\n").length === 3);
    const told = rows(child.stdout()).map(([, , actor, , action, target]) => [actor, action, target]);
    expect(told).toEqual([
      ["local", "keys.create", id],
      ["local", "keys.revoke", id],
    ]);
  });

  test("prints with -o json one object a line, from a number on", async () => {
    const child = await watch(keyward, "-o", "json", "--after", "3", "--action", "admin_keys.create");
    await until("two are told", () => child.stdout().split("\n").length === 3);
    const told = child
      .stdout()
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(told).toMatchObject([
      { seq: "4", target: "akey_4" },
      { seq: "5", target: "akey_5" },
    ]);
  });

  test("ends with 1 when the program does", async () => {
    const other = await keywardForThisTest();
    const child = await watch(other);
    process.kill(other.pid, "SIGTERM");
    expect(await child.ended).toBe("audit watch ended (exit code 1)");
    expect(await other.ended).toBe("Keyward ended (exit code 0)");
  });

  test("from no number exits with 2", async () => {
    const { code, stderr } = await audit("watch", "--after", "now");
    expect([code, stderr]).toEqual([2, "keyward: --after now must be the number of an event, or 0\n"]);
  });
});

describe("audit verify", () => {
  /** A Keyward of its own with 8 events, of which the first 4 were purged if asked for. */
  async function eventful(purged = false): Promise<Keyward> {
    const own = await keywardForThisTest();
    withStore(own, (store) => {
      writeEvents(store, 8);
      const before = 4.5 * HOUR_MS;
      if (purged) store.purgeAudit(before, 100, { name: "retention", source: "local" }, 9 * HOUR_MS);
    });
    return own;
  }

  test("of a trail that is whole exits with 0 and tells its head", async () => {
    const own = await eventful();
    const { code, stdout, stderr } = await own.cli("audit", "verify");
    expect([code, stderr]).toEqual([0, ""]);
    expect(Object.fromEntries(rows(stdout))).toEqual({
      trail: "intact",
      events: "8",
      head: expect.stringMatching(HEAD),
    });
    const json = JSON.parse((await own.cli("audit", "verify", "-o", "json")).stdout);
    expect(json).toEqual({ intact: true, events: 8, purged_through: 0, head: expect.stringMatching(/^8:/) });
  });

  test("tells what was purged", async () => {
    const own = await eventful(true);
    const { stdout } = await own.cli("audit", "verify");
    expect(Object.fromEntries(rows(stdout))).toMatchObject({ trail: "intact", events: "5", purged: "rows 1 to 4" });
  });

  test.each<[title: string, sql: string, line: string]>([
    ["changed", "UPDATE audit SET target = 'akey_x' WHERE seq = 6", "broken at row 6: it is not as it was written"],
    ["removed", "DELETE FROM audit WHERE seq = 6", "broken at row 6: row 6 is missing"],
    [
      "moved",
      "UPDATE audit SET seq = -seq WHERE seq IN (6, 7); UPDATE audit SET seq = 13 + seq WHERE seq < 0",
      "broken at row 6: in its place stands what was written as row 7",
    ],
    [
      "given another time beyond all times",
      "UPDATE audit SET at_ms = 9e18 WHERE seq = 6",
      "broken at row 6: it is not as it was written",
    ],
    [
      "given a revision that is no number of ours",
      "UPDATE audit SET revision = 9223372036854775807 WHERE seq = 6",
      "broken at row 6: it is not as it was written",
    ],
  ])("names a row that was %s, before and after a purge, and exits with 1", async (_, sql, line) => {
    for (const purged of [false, true]) {
      const own = await eventful(purged);
      tamper(own.database, sql);
      expect(await own.cli("audit", "verify")).toEqual({ code: 1, stdout: `${line}\n`, stderr: "" });
    }
  });

  test("of a broken trail prints with -q no head, and with -o json what is wrong", async () => {
    const own = await eventful();
    tamper(own.database, "DELETE FROM audit WHERE seq = 6");
    const problem = "row 6 is missing";
    const quiet = await own.cli("audit", "verify", "-q");
    expect(quiet).toEqual({ code: 1, stdout: "", stderr: `broken at row 6: ${problem}\n` });
    const { code, stdout } = await own.cli("audit", "verify", "-o", "json");
    expect([code, JSON.parse(stdout)]).toMatchObject([1, { intact: false, events: 5, broken_at: 6, problem }]);
  });

  test("misses rows that were cut off at the end", async () => {
    const own = await eventful();
    tamper(own.database, "DELETE FROM audit WHERE seq > 6");
    const { code, stdout } = await own.cli("audit", "verify");
    expect([code, stdout]).toEqual([1, "broken at row 7: the end is cut off: rows 7 to 8 are missing\n"]);
    await createKey(own.adminSocket);
    const later = await own.cli("audit", "verify");
    expect([later.code, later.stdout]).toEqual([1, "broken at row 7: rows 7 to 8 are missing\n"]);
  });

  test("finds with --head that a trail was cut and all about it put right", async () => {
    const own = await eventful();
    const { stdout: kept } = await own.cli("audit", "verify", "-q");
    await createKey(own.adminSocket);
    expect((await own.cli("audit", "verify", "--head", kept)).code).toBe(0);
    const last = "(SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1)";
    tamper(
      own.database,
      `DELETE FROM audit WHERE seq > 7; UPDATE audit_head SET (seq, hash) = ${last}; DELETE FROM changes WHERE revision > 7`,
    );
    expect((await own.cli("audit", "verify")).code).toBe(0);
    const { code, stdout } = await own.cli("audit", "verify", "--head", kept);
    expect([code, stdout]).toEqual([1, "broken at row 8: it is not there, though --head says that it was\n"]);
  });

  test("finds with --head that a trail was written anew", async () => {
    const own = await eventful();
    const { stdout: kept } = await own.cli("audit", "verify", "-q");
    const other = kept.replace(/.\n$/, (last) => (last.startsWith("0") ? "1" : "0"));
    const { code, stdout } = await own.cli("audit", "verify", "--head", other);
    expect([code, stdout]).toEqual([
      1,
      expect.stringMatching(/^broken at row 8: its hash is not [0-9a-f]{64}, as --head says: it was written anew\n$/),
    ]);
  });

  test("takes a head that was purged since for what it is", async () => {
    const own = await keywardForThisTest();
    withStore(own, (store) => writeEvents(store, 4));
    const { stdout: kept } = await own.cli("audit", "verify", "-q");
    withStore(own, (store) => {
      writeEvents(store, 4);
      store.purgeAudit(6.5 * HOUR_MS, 100, { name: "retention", source: "local" }, 9 * HOUR_MS);
    });
    expect((await own.cli("audit", "verify", "--head", kept)).code).toBe(0);
  });

  test("with a head that is none exits with 2", async () => {
    const { code, stderr } = await audit("verify", "--head", "8");
    expect([code, stderr]).toEqual([
      2,
      "keyward: --head must be what `keyward audit verify -q` printed: NUMBER:HASH\n",
    ]);
  });

  test("is not for an admin key that is bound to a tenant", async () => {
    const { secret } = await adminCall(keyward.adminSocket, "AdminKeyService/CreateAdminKey", {
      name: "a",
      tenant: "t",
    });
    const { code, stdout, stderr } = await verifyOver(keyward, secret ?? "");
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("this admin key sees the events of one tenant only");
  });

  test("reads 100,000 events within what a call of a person may take", async () => {
    const own = await keywardForThisTest();
    withStore(own, (store) => {
      const summary = {
        keyId: "key_a",
        reason: "key_revoked",
        count: 1,
        fromMs: 1,
        toMs: 2,
        lastIp: undefined,
      } as const;
      const summaries = Array.from({ length: 10_000 }, () => summary);
      for (let batch = 0; batch < 10; batch++) {
        store.recordDenials(summaries, 0, { name: "checks", source: "local" }, batch);
      }
    });
    const { code, stdout } = await own.cli("audit", "verify", "-o", "json");
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { intact: true, events: 100_000 }]);
  }, 60_000);
});

/** Verifies over the network with an admin key. */
function verifyOver(of: Keyward, adminKey: string) {
  const env = { KEYWARD_ADMIN_URL: `http://${of.admin}`, KEYWARD_ADMIN_KEY: adminKey };
  return runCli(["audit", "verify"], { cwd: of.folder, env });
}
