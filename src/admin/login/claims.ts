import type { JWTPayload } from "jose";

/** The text of a claim; undefined where it is missing or anything else than one text. */
export function textClaim(payload: JWTPayload, name: string): string | undefined {
  const value = claimOf(payload, name);
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** Whether a claim is a text, or where it is a list of texts holds it. `scope` is a list with spaces (RFC 8693 §4.2). */
export function hasClaim(payload: JWTPayload, name: string, wanted: string): boolean {
  const value = claimOf(payload, name);
  if (Array.isArray(value)) return value.includes(wanted);
  if (typeof value !== "string") return false;
  return name === "scope" ? value.split(" ").includes(wanted) : value === wanted;
}

/**
 * What a token says under a name, or where no claim has that name, below claims with a dot between them:
 * `realm_access.roles`. An address that the issuer does not say it has verified is none: anybody can say it
 * of themselves (`email_verified`, OpenID Connect Core §5.1).
 */
function claimOf(payload: JWTPayload, name: string): unknown {
  if (name === "email" && payload.email_verified !== true) return undefined;
  if (Object.hasOwn(payload, name)) return payload[name];
  let inner: unknown = payload;
  for (const step of name.split(".")) {
    if (typeof inner !== "object" || inner === null || !Object.hasOwn(inner, step)) return undefined;
    inner = (inner as Readonly<Record<string, unknown>>)[step];
  }
  return inner;
}
