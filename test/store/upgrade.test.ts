import { createHash } from "node:crypto";
import { chmodSync } from "node:fs";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { type KeyState, stateOf } from "../../src/key/state.ts";
import { writeIdentity } from "../../src/store/identity.ts";
import type { KeyFilter } from "../../src/store/keys.ts";
import { migrate, migrations } from "../../src/store/migrations.ts";
import { openKeyReader } from "../../src/store/reader.ts";
import { describeRequest } from "../support/check-request.ts";
import { createSampleCheck, sampleContext } from "../support/sample-check.ts";
import { secretOf } from "../support/sample-keys.ts";
import { reasonOf } from "../support/verdict.ts";
import { digestOf, local, sampleKey } from "./support/keys.ts";
import { newStore, openedReader, openedStore } from "./support/stores.ts";
import { newStorePath } from "./support/temp-dir.ts";

const { nowMs } = sampleContext;

/** The key in each state that the first schema had: what stands in its row, and what became of a request with it. */
const OLD_KEYS = [
  { name: "active", columns: {}, state: "active", reason: "allowed" },
  { name: "of a tenant", columns: { tenant: "acme", owner: "service/ci" }, state: "active", reason: "allowed" },
  { name: "limited to the path", columns: { paths: "/v1 =/v2" }, state: "active", reason: "allowed" },
  { name: "limited to another path", columns: { paths: "/v2" }, state: "active", reason: "path_not_allowed" },
  { name: "about to expire", columns: { expires_at_ms: nowMs + 1 }, state: "active", reason: "allowed" },
  { name: "expired", columns: { expires_at_ms: nowMs }, state: "expired", reason: "key_expired" },
  { name: "begun", columns: { not_before_ms: nowMs }, state: "active", reason: "allowed" },
  { name: "not begun", columns: { not_before_ms: nowMs + 1 }, state: "active", reason: "key_not_yet_valid" },
  {
    name: "revoked",
    columns: { revoked_at_ms: 5, revoked_by: "local", revoke_reason: "gone" },
    state: "revoked",
    reason: "key_revoked",
  },
] as const;

/** A file as a program of the first schema left it: its keys, an admin key, a change and an audit event for each. */
function oldDatabase(): string {
  const path = newStorePath();
  const db = new Database(path);
  migrate(db, migrations.slice(0, 1));
  writeIdentity(db, 1);
  const insert = db.prepare(
    `INSERT INTO keys VALUES (@digest, @id, @start, @secret_start, @tenant, @owner, @name, 'a note', 'api:read b:*',
       @paths, @not_before_ms, @expires_at_ms, 3, 'local', 4, @revoked_at_ms, @revoked_by, @revoke_reason, @revision)`,
  );
  const change = db.prepare("INSERT INTO changes VALUES (?, 77, ?)");
  const unset = { tenant: null, owner: null, paths: "", not_before_ms: null, expires_at_ms: null };
  const standing = { revoked_at_ms: null, revoked_by: null, revoke_reason: null };
  for (const [index, { name, columns }] of OLD_KEYS.entries()) {
    const secret = secretOf(name);
    const digest = Buffer.from(digestOf(secret), "hex");
    const [start, secret_start] = [secret.slice(0, 11), secret.slice(3, 11)];
    const revision = index + 1;
    insert.run({ ...unset, ...standing, digest, id: `key_${index}`, start, secret_start, name, ...columns, revision });
    change.run(revision, digest);
  }
  const admin = createHash("sha256").update("an admin's").digest();
  const revision = OLD_KEYS.length + 1;
  db.prepare(
    "INSERT INTO admin_keys VALUES (?, 'akey_1', 'kwadm_12345678', '12345678', 'ops', 'keys:read', 3, 'local', NULL, NULL, ?)",
  ).run(admin, revision);
  change.run(revision, admin);
  db.prepare("INSERT INTO audit VALUES (1, 1, 3, 'local', 'local', 'keys.create', 'key_0', '{}', ?, ?)").run(
    admin,
    admin,
  );
  expect(db.pragma("user_version", { simple: true })).toBe(1);
  db.close();
  chmodSync(path, 0o600);
  return path;
}

describe("a database of the first schema", () => {
  test("is not served by a program that only reads, until a writer has brought it up to date", () => {
    const path = oldDatabase();
    expect(() => openKeyReader(path)).toThrow("its schema is older than this program");
    openedStore(path);
    expect(openedReader(path).find(digestOf(secretOf("active")))?.id).toBe("key_0");
  });

  test("keeps its identity and its revision", () => {
    const path = oldDatabase();
    const before = new Database(path, { readonly: true });
    const uuid = before.prepare("SELECT uuid FROM identity").pluck().get();
    before.close();
    const store = openedStore(path);
    expect([store.identity.uuid, store.revision(), store.schemaVersion]).toEqual([uuid, OLD_KEYS.length + 1, 4]);
  });

  test.each(OLD_KEYS)("a key that is $name does what it did", ({ name, state, reason }) => {
    const path = oldDatabase();
    openedStore(path);
    const reader = openedReader(path);
    const record = reader.find(digestOf(secretOf(name)));
    expect(record && stateOf(record, nowMs)).toBe(state);
    const check = createSampleCheck({ store: reader });
    const headers = [["authorization", `Bearer ${secretOf(name)}`]] as const;
    expect(
      reasonOf(check(describeRequest({ method: "POST", path: "/v1/x", headers, sourceAddress: "192.0.2.1" }))),
    ).toBe(reason);
  });

  test("its keys have the limits that they had, and none of the new ones", () => {
    const store = openedStore(oldDatabase());
    const keys = OLD_KEYS.map((_, index) => store.keyById(`key_${index}`));
    const unlimited = { methods: [], cidrs: [], networks: undefined };
    const standing = { disabled: false, disabledAtMs: undefined, graceEndsAtMs: undefined };
    const alone = { successor: undefined, predecessor: undefined };
    const kept = { note: "a note", scopes: ["api:read", "b:*"], createdAtMs: 3, createdBy: "local", updatedAtMs: 4 };
    for (const key of keys) expect(key).toMatchObject({ ...unlimited, ...standing, ...alone, ...kept });
    expect(keys[1]).toMatchObject({ tenant: "acme", owner: "service/ci", revision: 2 });
    expect(keys[8]).toMatchObject({ revokedAtMs: 5, revokedBy: "local", revokeReason: "gone" });
  });

  test("its admin key is still one", () => {
    const found = openedStore(oldDatabase()).adminKeyByDigest(digestOf("an admin's"));
    expect(found).toMatchObject({ id: "akey_1", scopes: ["keys:read"], revokedAtMs: undefined });
  });

  test("its keys can be limited, disabled and rotated, each with the next revision", () => {
    const path = oldDatabase();
    const store = openedStore(path);
    const last = OLD_KEYS.length + 1;
    const key = store.keyById("key_0");
    expect(key && store.updateKey("key_0", { ...key, methods: ["GET"] }, local, 10)).toMatchObject({
      methods: ["GET"],
      revision: last + 1,
    });
    expect(store.setKeyDisabled("key_1", true, local, 11)).toMatchObject({ disabled: true, revision: last + 2 });
    expect(store.rotateKey("key_2", sampleKey("new"), nowMs + 9, local, 12, 3)).toMatchObject({
      predecessor: "key_2",
      revision: last + 3,
    });
    expect(store.revokeKey("key_3", "", local, 13)).toMatchObject({ revoked: true, revision: last + 4 });
    const reader = openedReader(path);
    const states = OLD_KEYS.slice(0, 4).map(({ name }) => {
      const record = reader.find(digestOf(secretOf(name)));
      return record && stateOf(record, nowMs);
    });
    expect(states).toEqual(["active", "disabled", "rotated", "revoked"]);
  });

  test("is brought up to date once, however often it is opened", () => {
    const path = oldDatabase();
    openedStore(path).setKeyDisabled("key_0", true, local, 10);
    expect(openedStore(path).keyById("key_0")).toMatchObject({ disabled: true });
  });
});

describe("a list by state", () => {
  const STATES: readonly KeyState[] = ["active", "disabled", "expired", "revoked", "rotated"];
  const moments = [49, 50, 51, 99, 100, 101, 150];
  const times = [null, 50, 100, 150];
  const rows = [null, 50, 200].flatMap((revoked) =>
    [null, 50, 200].flatMap((disabled) =>
      times.flatMap((grace) =>
        times.flatMap((expires) => [null, 150].map((notBefore) => ({ revoked, disabled, grace, expires, notBefore }))),
      ),
    ),
  );

  test.each(moments)("has the keys that are in that state at %i, and no others", (atMs) => {
    const { store, path } = newStore();
    const db = new Database(path);
    const insert = db.prepare(
      `INSERT INTO keys (digest, id, start, secret_start, name, note, scopes, paths, created_at_ms, created_by, updated_at_ms,
         revision, revoked_at_ms, disabled_at_ms, grace_ends_at_ms, expires_at_ms, not_before_ms)
       VALUES (?, ?, '', '', '', '', '', '', 1, '', 1, 1, @revoked, @disabled, @grace, @expires, @notBefore)`,
    );
    db.transaction(() => {
      for (const [index, row] of rows.entries())
        insert.run(Buffer.from(digestOf(`${index}`), "hex"), `key_${index}`, row);
    })();
    db.close();
    const ids = (filter: Partial<KeyFilter>) => store.listKeys({ nowMs: atMs, limit: 1_000, ...filter });
    const all = ids({});
    expect(all).toHaveLength(rows.length);
    for (const state of STATES) {
      const expected = all.filter((key) => stateOf(key, atMs) === state).map(({ id }) => id);
      expect(ids({ state }).map(({ id }) => id)).toEqual(expected);
    }
  });

  test("meets every state there is", () => {
    const record = { revoked: false, disabled: false, graceEndsAtMs: undefined, expiresAtMs: undefined };
    const { store } = newStore();
    const key = store.createKey(sampleKey("k"), local, 1);
    const states = rows.flatMap(({ revoked, disabled, grace, expires }) =>
      moments.map((atMs) =>
        stateOf(
          {
            ...key,
            ...record,
            revoked: revoked !== null,
            disabled: disabled !== null,
            graceEndsAtMs: grace ?? undefined,
            expiresAtMs: expires ?? undefined,
          },
          atMs,
        ),
      ),
    );
    expect(new Set(states)).toEqual(new Set(STATES));
  });
});
