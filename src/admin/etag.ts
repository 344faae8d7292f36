import { Code } from "@connectrpc/connect";
import { apiError } from "./errors.ts";

/** A record that is told from its earlier selves by the store's revision in which it last changed. */
interface Revised {
  readonly revision: number;
}

/** Changes with every change of the record, and with nothing else (AIP-154). */
export function etagOf({ revision }: Revised): string {
  return String(revision);
}

/** Throws ABORTED where a change was thought out for another record than the one that is there. `noun` says of what. */
export function refuseStale(noun: string, etag: string, present: Revised): void {
  if (etag !== "" && etag !== etagOf(present)) throw staleEtag(noun, present);
}

/** Somebody else was faster. */
export function staleEtag(noun: string, present: Revised) {
  const etag = etagOf(present);
  return apiError(Code.Aborted, "STALE_ETAG", `the ${noun} has changed since; its etag is ${etag}`, { etag });
}
