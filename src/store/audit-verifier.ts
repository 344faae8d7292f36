import { type ChainedEvent, type ChainPoint, chainHash } from "./audit-chain.ts";

/** The first place at which a trail is not as it was written. */
export interface Break {
  /** The event that is wrong, or the first that is missing. */
  readonly seq: number;
  /** What is wrong with it, as a sentence. */
  readonly problem: string;
}

/** Where the kept trail begins and ends, by what is written down beside it. */
export interface TrailEnds {
  /** The last event that was purged; before the first purge, what stands before the first event. */
  readonly start: ChainPoint;
  readonly head: ChainPoint;
  /** The store's revision, that of the last event. */
  readonly revision: number;
}

/** Follows a trail from the oldest event on. After a break it is of no further use. */
export interface AuditVerifier {
  /** The last event that was found whole. */
  readonly position: ChainPoint;
  /** How many were. */
  readonly count: number;
  /** Judges the next event. */
  take(event: ChainedEvent): Break | undefined;
  /**
   * Follows a purge that went on while the trail was being read: what it has removed cannot be judged any more.
   */
  skipTo(start: ChainPoint): void;
  /** Judges the end, once every event was taken. */
  finish(ends: TrailEnds): Break | undefined;
}

/** What tells in the trail itself how far it was purged, so that its start cannot be moved unseen. */
export const PURGE_ACTION = "audit.purge";

/** The detail of such an event: the last row that it removed. */
export interface PurgeDetail {
  readonly through: number;
  readonly hash: string;
}

/** How far around an event is looked for the place that its hash was made for; farther, it is called changed. */
const MOVED_WITHIN = 1_000;

/** Begins behind `start`. Where that is a purge's, an event further on must tell of the purge. */
export function createAuditVerifier(start: ChainPoint): AuditVerifier {
  let begun = start;
  let position = start;
  let count = 0;
  let revision = 0;
  let isPurgeTold = start.seq === 0;
  return {
    get position() {
      return position;
    },
    get count() {
      return count;
    },
    take(event) {
      const found = judge(event, position);
      if (found !== undefined) return found;
      position = { seq: event.seq, hash: event.hash };
      count++;
      revision = event.revision;
      isPurgeTold ||= event.action === PURGE_ACTION && tellsOf(begun, event.detail);
      return undefined;
    },
    skipTo(now) {
      if (now.seq <= position.seq) return;
      begun = position = now;
      isPurgeTold = false;
    },
    finish({ head, revision: last }) {
      if (position.seq < head.seq) {
        const missing = position.seq + 1;
        return { seq: missing, problem: `the end is cut off: ${rows(missing, head.seq)} missing` };
      }
      if (position.seq > head.seq || position.hash !== head.hash) {
        return { seq: position.seq, problem: "it is not the row that is noted down as the last" };
      }
      if (revision < last && count > 0) {
        const problem = `the end is cut off: the store is at revision ${last}, and row ${position.seq} at ${revision}`;
        return { seq: position.seq + 1, problem };
      }
      if (isPurgeTold) return undefined;
      return { seq: begun.seq, problem: `rows up to ${begun.seq} are gone, and no purge is told of that removed them` };
    },
  };
}

function judge(event: ChainedEvent, { seq, hash }: ChainPoint): Break | undefined {
  const expected = seq + 1;
  if (event.seq > expected) return { seq: expected, problem: `${rows(expected, event.seq - 1)} missing` };
  if (event.seq < expected) return { seq: event.seq, problem: "it stands where no row should be" };
  if (event.previousHash === hash && chainHash(hash, event) === event.hash) return undefined;
  const origin = originOf(event);
  if (origin === undefined) return { seq: expected, problem: "it is not as it was written" };
  if (origin !== expected) return { seq: expected, problem: `in its place stands what was written as row ${origin}` };
  return { seq: expected, problem: "it is not bound to the row before it" };
}

/** The seq with which an event was hashed; undefined where it is none near its own. */
function originOf(event: ChainedEvent): number | undefined {
  for (let distance = 0; distance <= MOVED_WITHIN; distance++) {
    for (const seq of [event.seq - distance, event.seq + distance]) {
      if (chainHash(event.previousHash, { ...event, seq }) === event.hash) return seq;
    }
  }
  return undefined;
}

/** Whether the detail of a purge names this place. One that cannot be read, which we do not write, names none. */
function tellsOf({ seq, hash }: ChainPoint, detail: string): boolean {
  try {
    const told = JSON.parse(detail) as Partial<PurgeDetail> | null;
    return told?.through === seq && told.hash === hash;
  } catch {
    return false;
  }
}

function rows(from: number, to: number): string {
  return from === to ? `row ${from} is` : `rows ${from} to ${to} are`;
}
