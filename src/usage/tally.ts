import type { NoteKey } from "../check/ports.ts";
import type { Reason } from "../check/reason.ts";
import { withoutSecrets } from "../observe/without-secrets.ts";
import type { KeyTally, Sighting } from "./batch.ts";
import { type Place, placeOf } from "./network.ts";

/** What found no room, by what it was. */
export type Uncounted = "use" | "denial" | "sighting";

/** Counts what one check thread sees of each key until that is handed over. */
export interface UsageTally {
  readonly note: NoteKey;
  /** How many keys there is something to tell of. */
  readonly size: number;
  /** Takes out the tallies of so many keys, those first that have waited the longest. */
  take(keys: number): KeyTally[];
}

/** How much is kept while nobody takes it. Beyond it the rest is only told to be uncounted. */
interface TallyBounds {
  readonly keys: number;
  /** Networks, and also user agents, of one key. */
  readonly sightingsOfKey: number;
  /** Of all keys together. */
  readonly sightings: number;
}

/** About 60 MB in one check thread, which it takes only where the writer stands still for long. */
const BOUNDS: TallyBounds = { keys: 100_000, sightingsOfKey: 100, sightings: 200_000 };

/** Longer names of clients tell no more to a person. */
const MAX_AGENT_LENGTH = 200;

interface SeenMs {
  firstMs: number;
  lastMs: number;
}

/** What is noted of one key: one of these however often the key is used. */
class Noted {
  uses = 0;
  lastUsedAtMs = 0;
  lastDeniedAtMs = 0;
  used: Place | undefined;
  denied: Place | undefined;
  /** What `used` and `denied` were read from: most clients keep their address. */
  usedText: string | undefined;
  deniedText: string | undefined;
  usedSeen: SeenMs | undefined;
  networks: Map<string, SeenMs> | undefined;
  userAgents: Map<string, SeenMs> | undefined;
  denials: Map<Reason, number> | undefined;
}

/**
 * Makes the tally of one check thread. It holds one entry a key, however many checks there are, and is bounded; what is
 * beyond is told to `lost` and added to nothing else.
 */
export function createUsageTally(lost: (what: Uncounted) => void, bounds: TallyBounds = BOUNDS): UsageTally {
  const noted = new Map<string, Noted>();
  let sightings = 0;

  const entryOf = (keyId: string): Noted | undefined => {
    const found = noted.get(keyId);
    if (found !== undefined || noted.size >= bounds.keys) return found;
    const entry = new Noted();
    noted.set(keyId, entry);
    return entry;
  };

  const see = (seen: Map<string, SeenMs>, value: string, nowMs: number): SeenMs | undefined => {
    const before = seen.get(value);
    if (before !== undefined) {
      before.lastMs = nowMs;
      return before;
    }
    if (seen.size >= bounds.sightingsOfKey || sightings >= bounds.sightings) {
      lost("sighting");
      return undefined;
    }
    sightings++;
    const first = { firstMs: nowMs, lastMs: nowMs };
    seen.set(value, first);
    return first;
  };

  const noteUse = (entry: Noted, address: string | undefined, userAgent: string | undefined, nowMs: number) => {
    entry.uses++;
    entry.lastUsedAtMs = nowMs;
    if (address === entry.usedText && entry.usedSeen !== undefined) {
      entry.usedSeen.lastMs = nowMs;
    } else {
      entry.usedText = address;
      entry.used = address === undefined ? undefined : placeOf(address);
      entry.networks ??= new Map();
      entry.usedSeen = entry.used && see(entry.networks, entry.used.network, nowMs);
    }
    if (userAgent !== undefined) {
      entry.userAgents ??= new Map();
      see(entry.userAgents, shownAgent(userAgent), nowMs);
    }
  };

  const noteDenial = (entry: Noted, reason: Reason, address: string | undefined, nowMs: number) => {
    entry.denials ??= new Map();
    entry.denials.set(reason, (entry.denials.get(reason) ?? 0) + 1);
    entry.lastDeniedAtMs = nowMs;
    if (address === entry.deniedText) return;
    entry.deniedText = address;
    entry.denied = address === undefined ? undefined : placeOf(address);
  };

  return {
    note({ id }, reason, address, userAgent, nowMs) {
      if (reason === "public") return;
      const entry = entryOf(id);
      if (entry === undefined) lost(reason === "allowed" ? "use" : "denial");
      else if (reason === "allowed") noteUse(entry, address, userAgent, nowMs);
      else noteDenial(entry, reason, address, nowMs);
    },
    get size() {
      return noted.size;
    },
    take(keys) {
      const taken: KeyTally[] = [];
      for (const [keyId, entry] of noted) {
        if (taken.length >= keys) break;
        noted.delete(keyId);
        sightings -= (entry.networks?.size ?? 0) + (entry.userAgents?.size ?? 0);
        taken.push(tallyOf(keyId, entry));
      }
      return taken;
    },
  };
}

function tallyOf(keyId: string, entry: Noted): KeyTally {
  return {
    keyId,
    uses: entry.uses,
    lastUsedAtMs: entry.lastUsedAtMs,
    lastUsedIp: entry.used?.address,
    networks: sightingsIn(entry.networks),
    userAgents: sightingsIn(entry.userAgents),
    denials: entry.denials ?? NONE,
    lastDeniedAtMs: entry.lastDeniedAtMs,
    lastDeniedIp: entry.denied?.address,
  };
}

const NONE: ReadonlyMap<Reason, number> = new Map();

function sightingsIn(seen: ReadonlyMap<string, SeenMs> | undefined): Sighting[] {
  return seen === undefined ? [] : Array.from(seen, ([value, { firstMs, lastMs }]) => ({ value, firstMs, lastMs }));
}

/** For people: what is not plain ASCII becomes a question mark, and what may be a secret an ellipsis. */
function shownAgent(text: string): string {
  return withoutSecrets(text, MAX_AGENT_LENGTH).replace(/[^ -~…]/g, "?");
}
