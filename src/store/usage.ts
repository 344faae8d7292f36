import type Database from "better-sqlite3";
import type { KeyTally, Sighting, UsageBatch } from "../usage/batch.ts";
import { StoreError, surfacing } from "./store-error.ts";
import { withoutWaiting } from "./without-waiting.ts";

/** What came of writing down one key of a batch. */
export interface Recorded {
  readonly tally: KeyTally;
  /** From where it had not been used before, the earliest first. Empty where it had not been used from anywhere. */
  readonly newNetworks: readonly Sighting[];
}

/** Who uses a key: the ones that were seen last, up to a bound. */
interface Sightings {
  /** The last seen first. */
  readonly networks: readonly Sighting[];
  readonly userAgents: readonly Sighting[];
}

/**
 * How keys are used. None of it is a change of a key: it takes no revision and has no audit event. Every call throws
 * StoreError where the store fails.
 */
export interface Usage {
  /**
   * Writes a batch down, in one transaction and without waiting for anybody: StoreError `busy` where another program holds
   * the lock. Returns what came of each key that there is; undefined where the batch was written down before.
   */
  recordUsage(batch: UsageBatch, nowMs: number): readonly Recorded[] | undefined;
  sightingsOf(keyId: string): Sightings;
}

/** As many networks of one key are kept: those that were seen last. */
const MAX_NETWORKS = 100;

/** As many names of clients of one key are kept: those that were seen last. */
const MAX_USER_AGENTS = 20;

/** How long a source is remembered that sends nothing any more: longer than any batch waits in memory. */
const SOURCE_LIFETIME_MS = 7 * 24 * 60 * 60 * 1000;

type Kind = "network" | "user_agent";

interface SightingRow {
  readonly value: string;
  readonly first_seen_at_ms: number;
  readonly last_seen_at_ms: number;
}

/** `isCutOff` says whether what is written now would be found by nobody who opens the store's path. */
export function openUsage(db: Database.Database, isCutOff: () => boolean): Usage {
  const lastSeq = db.prepare<[string], number>("SELECT seq FROM usage_sources WHERE source = ?").pluck();
  const keepSeq = db.prepare(
    `INSERT INTO usage_sources (source, seq, at_ms) VALUES (?, ?, ?)
     ON CONFLICT (source) DO UPDATE SET seq = excluded.seq, at_ms = excluded.at_ms`,
  );
  const forgetSources = db.prepare<[number]>("DELETE FROM usage_sources WHERE at_ms <= ?");
  const isKey = db.prepare<[string], number>("SELECT 1 FROM keys WHERE id = ?").pluck();
  const count = db.prepare(
    `INSERT INTO key_usage (key_id, use_count, last_used_at_ms, last_used_ip) VALUES (@keyId, @uses, @atMs, @ip)
     ON CONFLICT (key_id) DO UPDATE SET use_count = use_count + excluded.use_count,
       last_used_ip = iif(excluded.last_used_at_ms >= last_used_at_ms, excluded.last_used_ip, last_used_ip),
       last_used_at_ms = max(last_used_at_ms, excluded.last_used_at_ms)`,
  );
  const hasSightings = db.prepare<[string, Kind], number>(
    "SELECT 1 FROM key_sightings WHERE key_id = ? AND kind = ? LIMIT 1",
  );
  const seeAgain = db.prepare(
    `UPDATE key_sightings
     SET first_seen_at_ms = min(first_seen_at_ms, @firstMs), last_seen_at_ms = max(last_seen_at_ms, @lastMs)
     WHERE key_id = @keyId AND kind = @kind AND value = @value`,
  );
  const seeFirst = db.prepare(
    `INSERT INTO key_sightings (key_id, kind, value, first_seen_at_ms, last_seen_at_ms)
     VALUES (@keyId, @kind, @value, @firstMs, @lastMs)`,
  );
  const forgetOldest = db.prepare(
    `DELETE FROM key_sightings WHERE key_id = @keyId AND kind = @kind AND value IN (
       SELECT value FROM key_sightings WHERE key_id = @keyId AND kind = @kind
       ORDER BY last_seen_at_ms DESC, value LIMIT -1 OFFSET @kept)`,
  );
  const seen = db.prepare<[string, Kind], SightingRow>(
    `SELECT value, first_seen_at_ms, last_seen_at_ms FROM key_sightings WHERE key_id = ? AND kind = ?
     ORDER BY last_seen_at_ms DESC, value`,
  );

  /** Writes sightings down and returns those that are new. */
  const see = (keyId: string, kind: Kind, sightings: readonly Sighting[], kept: number): Sighting[] => {
    const found = sightings.filter((sighting) => {
      if (seeAgain.run({ keyId, kind, ...sighting }).changes > 0) return false;
      seeFirst.run({ keyId, kind, ...sighting });
      return true;
    });
    if (found.length > 0) forgetOldest.run({ keyId, kind, kept });
    return found;
  };

  const recordKey = (tally: KeyTally): Recorded => {
    const { keyId, uses, lastUsedAtMs: atMs, lastUsedIp: ip = null } = tally;
    if (uses > 0) count.run({ keyId, uses, atMs, ip });
    const isFirst = hasSightings.get(keyId, "network") === undefined;
    const earliestFirst = tally.networks.toSorted((one, other) => one.firstMs - other.firstMs);
    const found = see(keyId, "network", earliestFirst, MAX_NETWORKS);
    see(keyId, "user_agent", tally.userAgents, MAX_USER_AGENTS);
    return { tally, newNetworks: isFirst ? found.slice(1) : found };
  };

  const record = db.transaction(({ source, seq, keys }: UsageBatch, nowMs: number) => {
    if ((lastSeq.get(source) ?? 0) >= seq) return undefined;
    keepSeq.run(source, seq, nowMs);
    forgetSources.run(nowMs - SOURCE_LIFETIME_MS);
    const recorded = keys.filter(({ keyId }) => isKey.get(keyId) !== undefined).map(recordKey);
    // Last of all, so that nothing counts as written down that the next start would not find.
    if (isCutOff()) throw new StoreError("wrong_file", new Error("the file or its log has been replaced or removed"));
    return recorded;
  });

  return {
    recordUsage: surfacing(db, (batch, nowMs) => withoutWaiting(db, () => record.immediate(batch, nowMs))),
    sightingsOf: surfacing(db, (keyId) => ({
      networks: seen.all(keyId, "network").map(sightingOf),
      userAgents: seen.all(keyId, "user_agent").map(sightingOf),
    })),
  };
}

function sightingOf({ value, first_seen_at_ms, last_seen_at_ms }: SightingRow): Sighting {
  return { value, firstMs: first_seen_at_ms, lastMs: last_seen_at_ms };
}
