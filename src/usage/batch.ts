import type { Reason } from "../check/reason.ts";

/** From where, or by what, a key was used, and when first and last. Times are milliseconds since 1970. */
export interface Sighting {
  /** A network such as `203.0.113.0/24`, or what a client calls itself. */
  readonly value: string;
  readonly firstMs: number;
  readonly lastMs: number;
}

/** What one check thread saw of one key since it last told of it. */
export interface KeyTally {
  readonly keyId: string;
  /** How many requests were allowed. */
  readonly uses: number;
  /** 0 where `uses` is. */
  readonly lastUsedAtMs: number;
  /** The address of the last one; undefined where that is not known. */
  readonly lastUsedIp: string | undefined;
  readonly networks: readonly Sighting[];
  readonly userAgents: readonly Sighting[];
  /** How many requests were denied, by reason. */
  readonly denials: ReadonlyMap<Reason, number>;
  /** 0 where there are none. */
  readonly lastDeniedAtMs: number;
  readonly lastDeniedIp: string | undefined;
}

/** Tallies on their way to the writer. A batch is counted once, however often it is sent. */
export interface UsageBatch {
  /** The check thread's place on the board. */
  readonly thread: number;
  /** Names one life of that thread: another that takes its place has another. */
  readonly source: string;
  /** 1 for the first of a source, and one more for each that follows. */
  readonly seq: number;
  readonly keys: readonly KeyTally[];
}
