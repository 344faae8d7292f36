import { statfsSync, statSync } from "node:fs";
import type Database from "better-sqlite3";
import { createSealer } from "../../admin/signing/sealing.ts";
import type { Settings } from "../../config/settings.ts";
import { openDatabaseForReading } from "../../store/database.ts";
import { readSchemaVersion } from "../../store/migrations.ts";
import { type Finding, failure, fine, warning } from "./finding.ts";

/** Past this a checkpoint is held up by somebody: SQLite makes one at about 4 MB. */
const LARGE_WAL_BYTES = 64_000_000;

/** Below the first, some hours of changes and usage may be all that fits; below the second, nothing can be relied on. */
const LITTLE_SPACE_BYTES = 200_000_000;
const NO_SPACE_BYTES = 10_000_000;

/** Clocks of two machines that write to one file after another differ by less. */
const CLOCK_TOLERANCE_MS = 5_000;

/** Looks at the database: the files beside it, the disk below it, and what is inside. Opens it for reading only. */
export function examineDatabase(settings: Pick<Settings, "database" | "encryptionKey">, nowMs: number): Finding[] {
  const { database } = settings;
  if (statSync(database, { throwIfNoEntry: false }) === undefined) {
    return [warning("database", `${database} is not there yet`, "`keyward serve` creates it.")];
  }
  return [...examineFiles(database), ...examineSpace(database), ...examineInside(settings, nowMs)];
}

function examineFiles(database: string): Finding[] {
  const findings: Finding[] = [];
  for (const path of [database, `${database}-wal`, `${database}-shm`, `${database}.admin.sock`]) {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined || (found.mode & 0o077) === 0) continue;
    const mode = (found.mode & 0o777).toString(8).padStart(4, "0");
    findings.push(failure("permissions", `${path} has mode ${mode}, and is for its owner alone`, `chmod 600 ${path}`));
  }
  if (findings.length === 0) findings.push(fine("permissions", "the database and the files beside it are 0600"));
  const walBytes = statSync(`${database}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  const size = `the log beside the database has ${megabytes(walBytes)}`;
  if (walBytes <= LARGE_WAL_BYTES) findings.push(fine("wal", size));
  else
    findings.push(
      warning(
        "wal",
        size,
        "Something holds the database open for reading, such as a copy that was never ended: end it.",
      ),
    );
  return findings;
}

function examineSpace(database: string): Finding[] {
  const { bavail, bsize } = statfsSync(database);
  const bytes = bavail * bsize;
  const message = `the file system of the database has ${megabytes(bytes)} left`;
  const advice = "Make room: with a full disk every change is refused.";
  if (bytes < NO_SPACE_BYTES) return [failure("disk", message, advice)];
  return [bytes < LITTLE_SPACE_BYTES ? warning("disk", message, advice) : fine("disk", message)];
}

function examineInside(
  { database, encryptionKey }: Pick<Settings, "database" | "encryptionKey">,
  nowMs: number,
): Finding[] {
  try {
    const { db, identity } = openDatabaseForReading(database);
    try {
      const verdict = String(db.pragma("quick_check(1)", { simple: true }));
      if (verdict !== "ok")
        return [failure("database", `${database} is damaged: ${verdict}`, "Stop Keyward and restore a backup.")];
      const { keys } = db.prepare("SELECT count(*) AS keys FROM keys").get() as { keys: number };
      return [
        fine("database", `${database} is whole: schema ${readSchemaVersion(db)}, ${keys} keys`),
        examineClock(db, nowMs),
        examineEncryptionKey(db, identity.uuid, encryptionKey),
      ];
    } finally {
      db.close();
    }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return [
      failure("database", message, "Keyward serves no key from it. Give it the right file, or restore a backup."),
    ];
  }
}

/** The only other clock that is there: that of whoever wrote the last event. */
function examineClock(db: Database.Database, nowMs: number): Finding {
  const last = db.prepare<[], number | null>("SELECT max(at_ms) FROM audit").pluck().get() ?? 0;
  const aheadMs = last - nowMs;
  if (aheadMs <= CLOCK_TOLERANCE_MS) return fine("clock", "not behind the last event of the audit trail");
  return failure(
    "clock",
    `the last event of the audit trail is ${Math.round(aheadMs / 1_000)} s in the future: this clock is behind, or was ahead then`,
    "Set the clock, by NTP: expiry of keys is judged by it.",
  );
}

function examineEncryptionKey(
  db: Database.Database,
  databaseId: string,
  encryptionKey: Uint8Array | undefined,
): Finding {
  const inUse = db
    .prepare<[], { kid: string; private_jwk: Buffer }>(
      "SELECT kid, private_jwk FROM signing_keys WHERE retired_at_ms IS NULL AND private_jwk IS NOT NULL",
    )
    .all();
  if (encryptionKey === undefined) {
    if (inUse.length === 0) return fine("encryption key", "none, and no signing key needs one");
    return failure("encryption key", "there are signing keys, and no key that opens them", "Set encryption_key_file.");
  }
  const sealer = createSealer(encryptionKey, databaseId);
  const locked = inUse.filter(({ kid, private_jwk }) => sealer.open(kid, private_jwk) === undefined);
  if (locked.length === 0) return fine("encryption key", `opens all of ${inUse.length} signing keys`);
  const kids = locked.map(({ kid }) => kid).join(", ");
  const advice = "Set the one they were made with; if it is lost, `keyward signing-keys rotate` makes new ones.";
  return failure("encryption key", `does not open the signing keys ${kids}`, advice);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}
