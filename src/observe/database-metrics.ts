import { statfsSync, statSync } from "node:fs";
import type { MetricCells } from "./metrics/cells.ts";

/** How often sizes and the store's revision are looked at. */
export const DATABASE_METRICS_INTERVAL_MS = 1_000;

/** Makes what tells of the database and its revision, for the writer thread: nobody else may wait for the disk. */
export function createDatabaseMetrics(cells: MetricCells, database: string, revision: () => number): () => void {
  const told = cells.at("keyward_store_revision");
  const main = cells.at("keyward_database_bytes", { file: "main" });
  const wal = cells.at("keyward_database_bytes", { file: "wal" });
  const free = cells.at("keyward_database_disk_free_bytes");
  const sizeOf = (path: string) => statSync(path).size;
  return () => {
    told.set(orNothing(revision));
    main.set(orNothing(() => sizeOf(database)));
    wal.set(orNothing(() => sizeOf(`${database}-wal`)));
    free.set(
      orNothing(() => {
        const { bavail, bsize } = statfsSync(database);
        return bavail * bsize;
      }),
    );
  };
}

/** What cannot be told at the moment is left out, and tried again. */
function orNothing(ask: () => number): number {
  try {
    return ask();
  } catch {
    return Number.NaN;
  }
}
