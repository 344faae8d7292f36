import type { NoteInvalidKey } from "../check/ports.ts";
import { placeOf } from "../usage/network.ts";
import type { Log } from "./log.ts";

/** Counts what was presented and is no key, and tells of it now and then. */
export interface InvalidKeys {
  readonly note: NoteInvalidKey;
  /** Tells of a span that is over. */
  tick(nowMs: number): void;
  /** Tells of what is left, as far as it is worth a line. */
  finish(): void;
}

/** A flood gets one line in so long from each check thread. Spans are those of the clock. */
export const INVALID_KEYS_SPAN_MS = 10_000;

/** So many in one span have a line of their own in the denial log: a mistyped key is found there by its decision id. */
export const SINGLE_LINES = 3;

/** So many networks are told by name: those with the highest counts. */
const MAX_TOLD = 10;

/** About 100 KB. A flood that comes from more networks than these in one span is told without the others' names. */
const MAX_NETWORKS = 1_000;

/**
 * Makes the log of invalid keys of one check thread. Its line has how many were malformed and how many unknown, and from
 * which networks most of them came; its memory is bounded, whatever is presented from wherever.
 */
export function createInvalidKeys(log: Log, maxNetworks: number = MAX_NETWORKS): InvalidKeys {
  const networks = new Map<string, number>();
  let span = 0;
  let malformed = 0;
  let unknown = 0;

  const tell = () => {
    const total = malformed + unknown;
    // Those few have been told one by one.
    if (total > SINGLE_LINES) {
      const told = [...networks].sort(([, one], [, other]) => other - one).slice(0, MAX_TOLD);
      const elsewhere = told.reduce((left, [, count]) => left - count, total);
      log("warn", `${total} invalid keys were presented within ${INVALID_KEYS_SPAN_MS / 1_000} s`, {
        event: "invalid_keys",
        malformed,
        unknown,
        networks: Object.fromEntries(told),
        elsewhere,
      });
    }
    networks.clear();
    malformed = unknown = 0;
  };
  const turnTo = (nowMs: number) => {
    const now = Math.floor(nowMs / INVALID_KEYS_SPAN_MS);
    if (now === span) return;
    tell();
    span = now;
  };

  return {
    note(reason, address, nowMs) {
      turnTo(nowMs);
      if (reason === "unknown_key") unknown++;
      else malformed++;
      const network = address === undefined ? undefined : placeOf(address)?.network;
      if (network === undefined) return;
      const count = networks.get(network);
      if (count !== undefined || networks.size < maxNetworks) networks.set(network, (count ?? 0) + 1);
    },
    tick: turnTo,
    finish: tell,
  };
}
