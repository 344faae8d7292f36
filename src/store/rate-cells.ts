import type Database from "better-sqlite3";
import { RATE_CELLS } from "../key/record.ts";
import { StoreError } from "./store-error.ts";

/**
 * Gives out the cells in which requests of keys with a rate limit are counted: the next one that no key ever had, and
 * once there is none, one whose keys have all been revoked. Throws StoreError `no_rate_cell` where all are in use. Part of
 * the transaction that writes the key.
 */
export function openRateCells(db: Database.Database): () => number {
  const next = db.prepare<[], number>("SELECT coalesce(max(rate_cell) + 1, 0) FROM keys").pluck();
  const freed = db
    .prepare<[], number>(
      `SELECT rate_cell FROM keys WHERE rate_cell IS NOT NULL
       GROUP BY rate_cell HAVING min(revoked_at_ms IS NOT NULL) = 1 LIMIT 1`,
    )
    .pluck();
  return () => {
    const cell = next.get() ?? 0;
    if (cell < RATE_CELLS) return cell;
    const reused = freed.get();
    if (reused !== undefined) return reused;
    throw new StoreError("no_rate_cell", new Error(`all ${RATE_CELLS} rate limits are in use`));
  };
}
