import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";

/** How often the files are read: a change counts within two of these. Nobody notices the cost of a few small files. */
const WATCH_INTERVAL_MS = 1_000;

/** A watch that goes on until it is stopped. It does not keep the program from ending. */
export interface FileWatch {
  /** Takes what the files hold now for told; for whoever reads them next without having been told. Never rejects. */
  acknowledge(): Promise<void>;
  stop(): void;
}

/**
 * Watches what files hold, and calls `onChange` once for each change, with the paths whose content is another one. What
 * counts as the first content is what is there when the promise resolves: watch first, and read the files then, or a
 * change between the two is missed.
 *
 * The files are read again and again, since no notification of the system covers all the ways in which they change: writing
 * in place, renaming another file over them, and swapping a link above them, as Kubernetes does with `..data`. A change
 * counts once two looks have found the same in all files: one that is being written is not told half, and a
 * certificate and its key are told together. A file that is gone, or cannot be read, has changed too; one that is back as
 * it was before anybody was told has not. A pipe or a device can be read only once and never changes.
 *
 * `onChange` must not throw. Nothing is read while it runs, so that changes are told one after the other.
 */
export async function watchFiles(
  paths: readonly string[],
  onChange: (changed: readonly string[]) => void | Promise<void>,
  intervalMs = WATCH_INTERVAL_MS,
): Promise<FileWatch> {
  const look = () => Promise.all(paths.map(fingerprint));
  let told = await look();
  let seen = told;
  let stopped = false;
  let timer: NodeJS.Timeout;

  const compare = async () => {
    const now = await look();
    if (stopped) return;
    const isSettled = now.every((print, index) => print === seen[index]);
    seen = now;
    if (isSettled) {
      const changed = paths.filter((_, index) => now[index] !== told[index]);
      told = now;
      if (changed.length > 0) await onChange(changed);
    }
    lookLater();
  };
  const lookLater = () => {
    if (stopped) return;
    timer = setTimeout(compare, intervalMs).unref();
  };
  lookLater();

  return {
    async acknowledge() {
      told = seen = await look();
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

/** Stands for what a file holds: never the content itself, which may be a private key. Never rejects. */
async function fingerprint(path: string): Promise<string> {
  try {
    if (!(await stat(path)).isFile()) return "no file";
    return createHash("sha256")
      .update(await readFile(path))
      .digest("base64");
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : "unreadable";
  }
}
