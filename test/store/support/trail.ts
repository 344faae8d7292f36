import Database from "better-sqlite3";
import type { EventPage } from "../../../src/store/audit-trail.ts";
import { type Break, createAuditVerifier } from "../../../src/store/audit-verifier.ts";
import type { Store } from "../../../src/store/store.ts";
import { local } from "./keys.ts";

/** Changes a database behind the back of whoever has it open. */
export function tamper(path: string, sql: string): void {
  const db = new Database(path);
  try {
    db.exec(sql);
  } finally {
    db.close();
  }
}

/** Writes so many events, each an hour after the one before: event n is of hour n. */
export function writeEvents(store: Store, count: number): void {
  const key = (n: number) => ({ id: `akey_${n}`, digest: n.toString(16).padStart(64, "0"), start: "kwadm_12345678" });
  const first = store.listEvents({ order: "newest first", limit: 1 }).head.seq + 1;
  for (let n = first; n < first + count; n++) {
    store.createAdminKey({ ...key(n), name: `n${n}`, scopes: [] }, local, n * HOUR_MS);
  }
}

export const HOUR_MS = 3_600_000;

/** What a verification of the whole trail finds, a few events at a time. */
export function verified(store: Store): Break | undefined {
  let page: EventPage | undefined;
  let verifier: ReturnType<typeof createAuditVerifier> | undefined;
  do {
    page = store.listEvents({ order: "oldest first", after: page?.through, limit: 3 });
    verifier ??= createAuditVerifier(page.start);
    for (const event of page.events) {
      const broken = verifier.take(event);
      if (broken !== undefined) return broken;
    }
  } while (page.hasMore);
  return verifier.finish(page);
}
