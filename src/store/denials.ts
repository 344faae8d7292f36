import type Database from "better-sqlite3";
import type { Reason } from "../check/reason.ts";
import type { Actor } from "./audit.ts";
import type { Ledger } from "./ledger.ts";
import { surfacing } from "./store-error.ts";

/** How often one key was refused for one reason in a span of time. */
export interface DenialSummary {
  readonly keyId: string;
  readonly reason: Reason;
  readonly count: number;
  readonly fromMs: number;
  readonly toMs: number;
  /** The client's address at the last of them; undefined where that is not known. */
  readonly lastIp: string | undefined;
}

/** Notes down in the audit trail what was refused. Every call throws StoreError where the store fails. */
export interface Denials {
  /** One event for each summary, and one for `others`: how many denials no summary tells of. Takes no revision. */
  recordDenials(summaries: readonly DenialSummary[], others: number, actor: Actor, nowMs: number): void;
}

export function openDenials(db: Database.Database, ledger: Ledger): Denials {
  const tenantOf = db.prepare<[string], string | null>("SELECT tenant FROM keys WHERE id = ?").pluck();
  return {
    recordDenials: surfacing(db, (summaries, others, actor, nowMs) =>
      ledger.annotate(actor, nowMs, (record) => {
        for (const { keyId, lastIp = null, ...counted } of summaries) {
          const tenant = tenantOf.get(keyId) ?? undefined;
          record({ action: "keys.denied", target: keyId, tenant, detail: { ...counted, lastIp } });
        }
        if (others === 0) return;
        record({ action: "keys.denied", target: "others", tenant: undefined, detail: { count: others } });
      }),
    ),
  };
}
