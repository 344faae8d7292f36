import type { Allowed } from "./decide.ts";

/** The request headers that tell the upstream whose key it was. In lower case. */
export interface IdentityHeaders {
  readonly keyId: string;
  readonly owner: string;
  readonly tenant: string;
  /** Scopes, separated by spaces. */
  readonly scopes: string;
}

/** The identity headers that apply to a key, by name. */
export function identityOf(
  { record, scopes }: Allowed,
  names: IdentityHeaders,
): readonly (readonly [string, string])[] {
  if (record === undefined) return [];
  const identity: [string, string][] = [[names.keyId, record.id]];
  if (record.owner !== undefined) identity.push([names.owner, record.owner]);
  if (record.tenant !== undefined) identity.push([names.tenant, record.tenant]);
  if (scopes.length > 0) identity.push([names.scopes, scopes.join(" ")]);
  return identity;
}
