import { watchFiles } from "../config/watch-files.ts";

/** What asks for a reload. */
export type ReloadCause = "SIGHUP" | "file";

/** Whoever asks for reloads. */
export interface ReloadRequests {
  /** Has each request answered from now on; one that came before is made up for at once. */
  answer(reload: (cause: ReloadCause) => void): void;
  /** Forgets all requests from now on. SIGHUP is still caught: it must not end a program that is shutting down. */
  stop(): void;
}

/**
 * Hears SIGHUP, and watches the configuration file at a path. To be called before the file is read, so that no change of
 * it is missed, and SIGHUP does not end a program that is starting.
 */
export async function hearReloadRequests(path: string): Promise<ReloadRequests> {
  let reload: ((cause: ReloadCause) => void) | undefined;
  let missed: ReloadCause | undefined;
  const ask = (cause: ReloadCause) => {
    if (reload === undefined) missed = cause;
    else reload(cause);
  };
  const watch = await watchFiles([path], () => ask("file"));
  // Or what the signal has put into effect would be told a second time by the watch.
  process.on("SIGHUP", () => watch.acknowledge().then(() => ask("SIGHUP")));
  return {
    answer(by) {
      reload = by;
      if (missed !== undefined) ask(missed);
    },
    stop() {
      watch.stop();
      reload = () => {};
    },
  };
}
