import { statSync } from "node:fs";

/**
 * Remembers which file a path leads to, and tells whether it leads to another one by now, or to none. SQLite goes on with
 * the file that it has opened: what is read from it is history, and what is written to it is lost.
 */
export function watchFile(path: string): () => boolean {
  const opened = identityOf(path);
  return () => identityOf(path) !== opened;
}

function identityOf(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stats && `${stats.dev}:${stats.ino}`;
}
