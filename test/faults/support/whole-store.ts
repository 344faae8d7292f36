import { openStore } from "../../../src/store/store.ts";
import { verified } from "../../store/support/trail.ts";

/** Whether the audit trail of a store is whole, and what it tells last. Opens the file to write. */
export function verifiedTrail(path: string): { broken: unknown; last: string | undefined } {
  const store = openStore(path);
  try {
    return { broken: verified(store), last: store.listEvents({ order: "newest first", limit: 1 }).events[0]?.action };
  } finally {
    store.close();
  }
}
