import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, unlinkSync, writeSync } from "node:fs";
import { ADMIN_SCOPES } from "../admin/admin-scope.ts";
import { newSecret } from "../admin/keys/new-secret.ts";
import type { Settings } from "../config/settings.ts";
import { ID_RANDOM_BYTES, writeId } from "../key/id.ts";
import { ADMIN_PREFIX, startOf } from "../key/secret.ts";
import type { Log } from "../observe/log.ts";
import type { Actor } from "../store/audit.ts";
import { secretDigest } from "../store/digest.ts";
import type { Store } from "../store/store.ts";
import { StartError } from "./start-error.ts";

/** Who makes the admin keys of the configuration, in the audit trail. */
const CONFIGURATION: Actor = { name: "configuration", source: "local" };

/**
 * Makes the admin keys that the configuration asks for: the one whose secret it holds, unless it is there already, and a
 * new one written to a file when the database is new. Every one may do all.
 */
export function makeFirstAdminKeys(store: Store, settings: Settings, log: Log): void {
  const isNew = store.revision() === 0;
  if (settings.adminKey !== undefined) adoptAdminKey(store, settings.adminKey, log);
  if (settings.writeAdminKey !== undefined && isNew) writeAdminKey(store, settings.writeAdminKey, log);
}

function adoptAdminKey(store: Store, secret: string, log: Log): void {
  const digest = secretDigest(secret);
  const known = store.adminKeyByDigest(digest);
  if (known?.revokedAtMs !== undefined) {
    log("warn", "the admin key of the configuration has been revoked and opens nothing; configure another", {
      key_id: known.id,
    });
  }
  if (known !== undefined) return;
  const nowMs = Date.now();
  const id = writeId("akey", nowMs, randomBytes(ID_RANDOM_BYTES));
  const name = "from the configuration";
  store.createAdminKey({ id, digest, start: startOf(secret), name, scopes: ADMIN_SCOPES }, CONFIGURATION, nowMs);
  log("info", "the admin key of the configuration was added", { key_id: id });
}

/** The file comes first: a key that nobody can read is worse than a file whose key does not work. */
function writeAdminKey(store: Store, path: string, log: Log): void {
  const nowMs = Date.now();
  const { secret, ...kept } = newSecret("akey", ADMIN_PREFIX, nowMs);
  let file: number;
  try {
    file = openSync(path, "wx", 0o600);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === "EEXIST" ? "it is there already; move it away" : message;
    throw new StartError(`write_admin_key ${path} cannot be written: ${why}`, cause);
  }
  try {
    writeSync(file, `${secret}\n`);
    fsyncSync(file);
    store.createAdminKey({ ...kept, name: "first admin key", scopes: ADMIN_SCOPES }, CONFIGURATION, nowMs);
  } catch (error) {
    unlinkSync(path);
    throw error;
  } finally {
    closeSync(file);
  }
  log("info", `a first admin key was written to ${path}`, { key_id: kept.id });
}
