import type { Address } from "../../config/address.ts";
import type { Settings } from "../../config/settings.ts";
import type { TlsMaterial } from "../../config/tls-files.ts";
import type { TlsListener } from "../../config/tls-listeners.ts";
import type { AllowedLine } from "../../observe/allowed-log.ts";
import type { Log, LogFields, LogLevel } from "../../observe/log.ts";
import type { Sampling } from "../../observe/traces/settings.ts";
import type { CheckSpan } from "../../observe/traces/tracer.ts";
import type { Alert } from "../../usage/alerts.ts";
import type { UsageBatch } from "../../usage/batch.ts";

/** What a thread is started with. */
export interface ThreadData {
  readonly settings: Settings;
  /** Which configuration that is: 0 is that of the program's start, and each reload has the next number. */
  readonly configuration: number;
  /** The program's board, and for how many check threads it is laid out. */
  readonly board: SharedArrayBuffer;
  /** The cells in which all threads count the requests of keys with a rate limit. */
  readonly rates: SharedArrayBuffer;
  /** Of each check thread, what it has denied (`observe/denial-ring.ts`). */
  readonly denials: readonly SharedArrayBuffer[];
  readonly checkThreads: number;
  readonly version: string;
  readonly startedAtMs: number;
  /** Where every thread counts (`observe/metrics/cells.ts`): the check threads, then the writer, then main. */
  readonly metrics: SharedArrayBuffer;
  /** The names of the slots in which checks are counted by route. */
  readonly routes: readonly string[];
  /** With which the listeners of this thread speak TLS. */
  readonly tls?: { readonly [Listener in TlsListener]?: TlsMaterial | undefined };
}

/** What a check thread is told beside. */
export interface CheckThreadData extends ThreadData {
  /** Without the secrets of the administrators, of which a check needs none. */
  readonly settings: Settings & { readonly adminKey?: never; readonly encryptionKey?: never };
  /** Its place on the board. */
  readonly index: number;
  /** Which checks are traced; undefined: none. */
  readonly sampling: Sampling | undefined;
  /** Where it listens, shared with the other check threads or alone. Undefined: not at all. */
  readonly authz: Address | undefined;
  readonly forwardAuth: Address | undefined;
  readonly shared: boolean;
}

/** What a thread tells main. */
export type ThreadReport =
  | { readonly kind: "listening"; readonly addresses: Readonly<Record<string, Address>> }
  /** It cannot start, for a reason that the operator can mend; not worth another try. */
  | { readonly kind: "refused"; readonly message: string }
  /** It has opened a database file that is not read through yet, by its name of `WatchedFile.file`. */
  | { readonly kind: "unread"; readonly file: string }
  /** A check thread tells how keys are used, for the writer. */
  | { readonly kind: "usage"; readonly batch: UsageBatch }
  /** The writer has written a batch down. */
  | { readonly kind: "usage_written"; readonly source: string; readonly seq: number }
  /** The writer found something worth a person's attention; its lines are told apart. */
  | { readonly kind: "alerts"; readonly counts: ReadonlyMap<Alert, number> }
  /** The thread obeys a configuration, by its number: that with which it was started, or to which it was told to reload. */
  | { readonly kind: "configured"; readonly configuration: number }
  /** Lines for allowed checks; answered with `allowed_taken`. */
  | { readonly kind: "allowed"; readonly lines: readonly AllowedLine[] }
  /** Spans of checks; answered with `spans_taken`. */
  | { readonly kind: "spans"; readonly spans: readonly CheckSpan[] }
  | { readonly kind: "log"; readonly level: LogLevel; readonly message: string; readonly fields: LogFields };

/** What main tells a thread. */
export type ThreadOrder =
  /** Say NOT_SERVING, and go on answering. */
  | { readonly kind: "drain" }
  /** Take nothing new, finish what is in progress, give up what has not ended after `graceMs`, and end. */
  | { readonly kind: "stop"; readonly graceMs: number }
  /** Obey other settings, between two calls. Those that need a restart are the same as before. */
  | ({ readonly kind: "reload" } & Pick<ThreadData, "settings" | "configuration" | "routes">)
  /** For the writer: write this down. */
  | { readonly kind: "usage"; readonly batch: UsageBatch }
  /** For a check thread: a batch is written down. */
  | { readonly kind: "usage_written"; readonly source: string; readonly seq: number }
  /** For a check thread: the last lines were read. */
  | { readonly kind: "allowed_taken" }
  /** The same for the last spans. */
  | { readonly kind: "spans_taken" }
  /** Serve connections to come with this. */
  | { readonly kind: "certificate"; readonly listener: TlsListener; readonly material: TlsMaterial };

/** A log for a thread, written by main: a pipe that nobody empties must not hold up the thread. */
export function createThreadLog(report: (message: ThreadReport) => void): Log {
  return (level, message, fields = {}) => report({ kind: "log", level, message, fields });
}
