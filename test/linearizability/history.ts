/** Where a check was made: in the process that made the change, or in another one on the same database. */
export type Place = "same" | "other";

/** What a key is from one change on. Times are milliseconds of `performance.now()` of whoever records. */
export interface State {
  /** What a check is answered while the key is so: see `answerOf`. */
  readonly answer: string;
  /** Before the change was sent. */
  readonly begunMs: number;
  /** When its answer was there; Infinity where none came: the change may have happened, or not, or will. */
  acknowledgedMs: number;
  /** Whether that answer said that every check thread of the process obeys. */
  enforced: boolean;
}

/** One check that was answered, from before it was sent until its answer was there. */
export interface Reading {
  /** One connection, which asks one thing at a time: all that it is told comes from one thread. */
  readonly observer: string;
  readonly place: Place;
  readonly begunMs: number;
  readonly endedMs: number;
  readonly answer: string;
}

/** All that happened to one key, and all that was seen of it. */
export interface KeyHistory {
  /** Names it to people; not its secret. */
  readonly name: string;
  /** In their order: a key is changed by one writer, one change at a time. Nothing follows a change without an answer. */
  readonly states: State[];
  /** In the order of their ends. */
  readonly readings: Reading[];
}

/** As long ago as anything can be: what nobody has made yet is unknown from then on. */
export function unknownSince(): State {
  const always = Number.NEGATIVE_INFINITY;
  return { answer: "unknown_key", begunMs: always, acknowledgedMs: always, enforced: true };
}
