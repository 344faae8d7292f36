import type { Allowed } from "./decide.ts";

/** The request headers that tell the upstream whose key it was. In lower case. */
export interface IdentityHeaders {
  readonly keyId: string;
  readonly owner: string;
  readonly tenant: string;
  /** Scopes, separated by spaces. */
  readonly scopes: string;
}

/** What the upstream is told, in the order of its headers. */
export const IDENTITY = ["keyId", "owner", "tenant", "scopes"] as const satisfies readonly (keyof IdentityHeaders)[];

/** What one identity header says of the key that was allowed; undefined where there is nothing to say. */
export function identityOf(field: keyof IdentityHeaders, { record, scopes }: Allowed): string | undefined {
  if (record === undefined) return undefined;
  if (field === "keyId") return record.id;
  if (field === "scopes") return scopes.length > 0 ? scopes.join(" ") : undefined;
  return record[field];
}
