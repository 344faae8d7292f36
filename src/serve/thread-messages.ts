import type { Address } from "../config/address.ts";
import type { Settings } from "../config/settings.ts";
import type { Log, LogFields, LogLevel } from "../observe/log.ts";

/** What a thread is started with. */
export interface ThreadData {
  readonly settings: Settings;
  /** The program's board, and for how many check threads it is laid out. */
  readonly board: SharedArrayBuffer;
  readonly checkThreads: number;
  readonly version: string;
  readonly startedAtMs: number;
}

/** What a check thread is told beside. */
export interface CheckThreadData extends ThreadData {
  /** Without the secrets of the administrators, of which a check needs none. */
  readonly settings: Settings & { readonly adminKey?: never; readonly encryptionKey?: never };
  /** Its place on the board. */
  readonly index: number;
  /** Where it listens, shared with the other check threads or alone. */
  readonly address: Address | undefined;
  readonly shared: boolean;
  /** The cells in which all check threads count the requests of keys with a rate limit. */
  readonly rates: SharedArrayBuffer;
}

/** What a thread tells main. */
export type ThreadReport =
  | { readonly kind: "listening"; readonly addresses: Readonly<Record<string, Address>> }
  /** It cannot start, for a reason that the operator can mend; not worth another try. */
  | { readonly kind: "refused"; readonly message: string }
  | { readonly kind: "log"; readonly level: LogLevel; readonly message: string; readonly fields: LogFields };

/** What main tells a thread. */
export type ThreadOrder =
  /** Say NOT_SERVING, and go on answering. */
  | { readonly kind: "drain" }
  /** Take nothing new, finish what is in progress, and end. */
  | { readonly kind: "stop" };

/** A log for a thread, written by main: a pipe that nobody empties must not hold up the thread. */
export function createThreadLog(report: (message: ThreadReport) => void): Log {
  return (level, message, fields = {}) => report({ kind: "log", level, message, fields });
}
