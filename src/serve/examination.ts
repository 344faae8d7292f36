import { execFile } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Settings } from "../config/settings.ts";
import type { Log } from "../observe/log.ts";
import type { Extent } from "../store/read-through.ts";
import { BODY_ENV, bodyBeside } from "./body.ts";

/** What came of reading a file through: which it was, or what is wrong with it. */
export type Finding =
  | { readonly file: string; readonly damage?: undefined }
  | { readonly damage: string; readonly file?: undefined };

/** How long until it is tried again where a file could not be read through. Whoever serves it notices by himself that it fails. */
const RETRY_MS = 60_000;

/** Sees to it that a database which is served before it was read through is read through. */
export interface Examination {
  /** A thread has opened this file (`WatchedFile.file`) unread. One that was found to be whole already is not read again. */
  request(file: string): void;
  /** For how many seconds a file has been served that is not known to be whole; 0: there is none. */
  unreadSeconds(): number;
}

/**
 * Reads in a process of its own, one for all threads: SQLite cannot be interrupted from here, but a process can be ended at
 * once, and its memory is gone when it is done. It begins after `serving`, or it would take its time from the start.
 * `onDamage` is called with the sentence of the refusal where a file is damaged; then it must not be served any longer.
 */
export function createExamination(
  { database, mode }: Pick<Settings, "database" | "mode">,
  serving: Promise<void>,
  onDamage: (sentence: string) => void,
  log: Log,
): Examination {
  // Who serves checks only is not concerned by what the others keep beside the keys.
  const extent: Extent = mode === "authz" ? "keys" : "everything";
  const ending = new AbortController();
  let wanted: string | undefined;
  let whole: string | undefined;
  let unreadSinceMs: number | undefined;

  /** Returns once there is nothing left to read. */
  const readWanted = async (): Promise<void> => {
    await serving;
    while (wanted !== undefined) {
      const asked = wanted;
      const startedMs = performance.now();
      try {
        const { file, damage } = await read(database, extent, ending.signal);
        if (damage !== undefined) return onDamage(damage);
        whole = file;
        log("info", "the database was read through and is whole", { ms: Math.round(performance.now() - startedMs) });
        // Another one may have been put in its place meanwhile, and opened.
        if (wanted === asked || wanted === file) wanted = undefined;
      } catch (error) {
        const cause = error instanceof Error ? error.message : String(error);
        log("warn", `the database could not be read through; it is tried again in ${RETRY_MS / 1000} s`, { cause });
        await delay(RETRY_MS, undefined, { ref: false });
      }
    }
    unreadSinceMs = undefined;
  };

  // It must not go on where this program has ended, by whatever.
  process.once("exit", () => ending.abort());
  return {
    request(file) {
      if (file === whole) return;
      wanted = file;
      if (unreadSinceMs !== undefined) return;
      unreadSinceMs = performance.now();
      log("info", "the database is large: it is read through while it is served", { database });
      void readWanted();
    },
    unreadSeconds: () => (unreadSinceMs === undefined ? 0 : (performance.now() - unreadSinceMs) / 1000),
  };
}

async function read(database: string, extent: Extent, signal: AbortSignal): Promise<Finding> {
  const body = fileURLToPath(bodyBeside(import.meta.url, "examiner"));
  const options = { env: BODY_ENV, signal, killSignal: "SIGKILL" } as const;
  const { stdout } = await promisify(execFile)(process.execPath, [body, database, extent], options);
  return JSON.parse(stdout);
}
