import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { type Address, formatAddress } from "../../config/address.ts";
import { StartError } from "../start-error.ts";

/**
 * Keeps a port that several threads share to this program for as long as it lives. The threads bind with SO_REUSEPORT, so
 * two programs that start at the same moment could both pass the probe and then share the port unseen. The lock is an
 * exclusive transaction on an empty SQLite file beside the database: the system gives it back however the program ends.
 * Throws StartError where another program holds it.
 */
export function lockPort(database: string, address: Address & { kind: "tcp" }, setting: string): void {
  const path = `${database}.${address.port}.lock`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    const lock = new Database(path, { timeout: 0 });
    held.push(lock);
    lock.exec("BEGIN EXCLUSIVE");
  } catch (cause) {
    const isHeld = cause instanceof Database.SqliteError && cause.code.startsWith("SQLITE_BUSY");
    const why = isHeld ? "another Keyward on this database has this port; choose another" : `cannot lock ${path}`;
    throw new StartError(`${setting}: ${formatAddress(address)}: ${why}`, cause);
  }
}

/** For good: a handle that nobody refers to would be closed by the garbage collector, and the lock with it. */
const held: Database.Database[] = [];
