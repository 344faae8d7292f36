import type Database from "better-sqlite3";
import type { Actor } from "./audit.ts";
import { type ChainedEvent, type ChainPoint, chainStart } from "./audit-chain.ts";
import { type Break, createAuditVerifier, PURGE_ACTION, type PurgeDetail, type TrailEnds } from "./audit-verifier.ts";
import type { Identity } from "./identity.ts";
import type { Ledger } from "./ledger.ts";
import { surfacing } from "./store-error.ts";
import { withoutWaiting } from "./without-waiting.ts";

/** An event of the trail, and whose it is. */
export interface StoredEvent extends ChainedEvent {
  /** Undefined: of no tenant. */
  readonly tenant: string | undefined;
}

/** Which events to read. What is left out does not narrow them. */
export interface EventFilter {
  /** One action, or with `.*` at its end all of a table. */
  readonly action?: string | undefined;
  readonly actor?: string | undefined;
  readonly target?: string | undefined;
  readonly tenant?: string | undefined;
  /** From then on. */
  readonly sinceMs?: number | undefined;
  /** Before then. */
  readonly untilMs?: number | undefined;
}

/** Which part of them. */
interface EventQuery extends EventFilter {
  readonly order: "oldest first" | "newest first";
  /** Only those behind this one in the order; undefined: from its beginning. */
  readonly after?: number | undefined;
  /** At most so many. */
  readonly limit: number;
}

/** What was found, all of one moment. */
export interface EventPage extends TrailEnds {
  readonly events: readonly StoredEvent[];
  /** The last event that was looked at; undefined where there was none. */
  readonly through: number | undefined;
  /** Whether there may be more behind it: where the filter finds little, a page ends before it is full. */
  readonly hasMore: boolean;
}

/** How a purge of the trail went. */
interface PurgedTrail {
  /** How many events it has removed. */
  readonly removed: number;
  /** The trail is not whole there, so that nothing was removed: what is wrong must not vanish. */
  readonly broken?: Break;
}

/** The trail as it is read and kept short. Every call throws StoreError where the store fails. */
export interface AuditTrail {
  listEvents(query: EventQuery): EventPage;
  /**
   * Removes up to `limit` of the oldest events that are from before `beforeMs`, tells of it, and notes down behind which
   * event the trail begins. Stops at the first event that is younger. Purges alone are not worth a purge. StoreError
   * `busy`, without waiting, where another program holds the lock.
   */
  purgeAudit(beforeMs: number, limit: number, actor: Actor, nowMs: number): PurgedTrail;
}

/** A row of `audit`. */
interface Row {
  readonly seq: number;
  readonly revision: number;
  readonly at_ms: number;
  readonly actor: string;
  readonly source: string;
  readonly action: string;
  readonly target: string;
  readonly detail: string;
  readonly tenant: string | null;
  readonly previous_hash: Buffer;
  readonly hash: Buffer;
}

/** So many rows are looked at in one call: some 20 ms, in which the thread does nothing else. */
const MAX_LOOKED_AT = 10_000;

/** A page is full with so many characters of detail: an update of a large key has some hundred thousand. */
const MAX_DETAIL_LENGTH = 2 * 1024 * 1024;

export function openAuditTrail(db: Database.Database, ledger: Ledger, identity: Identity): AuditTrail {
  const beginning = chainStart(identity.uuid);
  const purged = db.prepare<[], ChainPoint>("SELECT seq, lower(hex(hash)) AS hash FROM audit_purged");
  const head = db.prepare<[], ChainPoint>("SELECT seq, lower(hex(hash)) AS hash FROM audit_head");
  const oldest = db.prepare<[number], Row>("SELECT * FROM audit ORDER BY seq LIMIT ?");
  const worthPurging = db
    .prepare<[string], number>("SELECT at_ms FROM audit WHERE action <> ? ORDER BY seq LIMIT 1")
    .pluck();
  const remove = db.prepare<[number]>("DELETE FROM audit WHERE seq <= ?");
  const setPurged = db.prepare("REPLACE INTO audit_purged (id, seq, hash) VALUES (1, @seq, unhex(@hash))");

  const startNow = () => purged.get() ?? beginning;
  const endsNow = (): TrailEnds => {
    const start = startNow();
    return { start, head: head.get() ?? start, revision: ledger.revision() };
  };

  const rowsOf = ({ tenant, target, order, after }: EventQuery) => {
    const oldestFirst = order === "oldest first";
    const conditions = [
      ...(after === undefined ? [] : [oldestFirst ? "seq > @after" : "seq < @after"]),
      ...(tenant === undefined ? [] : ["tenant = @tenant"]),
      ...(target === undefined ? [] : ["target = @target"]),
    ];
    const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
    return db
      .prepare<[object], Row>(`SELECT * FROM audit ${where} ORDER BY seq ${oldestFirst ? "ASC" : "DESC"}`)
      .iterate({ after, tenant, target });
  };

  const read = (query: EventQuery): EventPage => {
    const ends = endsNow();
    const events: StoredEvent[] = [];
    let [lookedAt, length] = [0, 0];
    let through: number | undefined;
    for (const row of rowsOf(query)) {
      const isFull = events.length === query.limit || length > MAX_DETAIL_LENGTH;
      const isWanted = matches(row, query);
      if ((isFull && isWanted) || lookedAt === MAX_LOOKED_AT) return { ...ends, events, through, hasMore: true };
      lookedAt++;
      through = row.seq;
      if (!isWanted) continue;
      length += row.detail.length;
      events.push(eventOf(row));
    }
    return { ...ends, events, through, hasMore: false };
  };
  const readAtOnce = db.transaction(read);

  return {
    listEvents: surfacing(db, (query: EventQuery) => readAtOnce.deferred(query)),

    purgeAudit: surfacing(db, (beforeMs, limit, actor, nowMs) =>
      withoutWaiting(db, () =>
        ledger.annotate(actor, nowMs, (record): PurgedTrail => {
          const firstOther = worthPurging.get(PURGE_ACTION);
          if (firstOther === undefined || firstOther >= beforeMs) return { removed: 0 };
          const verifier = createAuditVerifier(startNow());
          for (const row of oldest.all(limit)) {
            if (row.at_ms >= beforeMs) break;
            const broken = verifier.take(eventOf(row));
            if (broken !== undefined) return { removed: 0, broken };
          }
          const { position, count } = verifier;
          if (count === 0) return { removed: 0 };
          remove.run(position.seq);
          setPurged.run(position);
          const detail: PurgeDetail & { events: number } = {
            through: position.seq,
            hash: position.hash,
            events: count,
          };
          record({ action: PURGE_ACTION, target: "audit", tenant: undefined, detail: { ...detail } });
          return { removed: count };
        }),
      ),
    ),
  };
}

function matches(row: Row, { action, actor, sinceMs, untilMs }: EventFilter): boolean {
  if (action !== undefined && !isOf(row.action, action)) return false;
  if (actor !== undefined && row.actor !== actor) return false;
  return (sinceMs === undefined || row.at_ms >= sinceMs) && (untilMs === undefined || row.at_ms < untilMs);
}

function isOf(action: string, wanted: string): boolean {
  return wanted.endsWith(".*") ? action.startsWith(wanted.slice(0, -1)) : action === wanted;
}

function eventOf(row: Row): StoredEvent {
  return {
    seq: row.seq,
    revision: row.revision,
    atMs: row.at_ms,
    actor: row.actor,
    source: row.source,
    action: row.action,
    target: row.target,
    detail: row.detail,
    tenant: row.tenant ?? undefined,
    previousHash: row.previous_hash.toString("hex"),
    hash: row.hash.toString("hex"),
  };
}
