import { ADMIN_SCOPES, type AdminScope, isAdminScope } from "../admin/admin-scope.ts";
import { isOwner, OWNER_FORM } from "../key/owner.ts";
import { isAmong, isScope } from "../key/scope.ts";
import { isTenant, TENANT_FORM } from "../key/tenant.ts";
import { show } from "./reading.ts";

/** Whom the admin API knows without an admin key, as it is written in the configuration. */
export interface AdminIdentityConfig {
  /** A name in the client's certificate: a URI, or `dns:`, `email:` or `cn:` and a name. */
  readonly certificate?: string | undefined;
  /** What a token has to say: each claim by its name, with this value or, where it is a list, with this value in it. */
  readonly claims?: Readonly<Record<string, string>> | undefined;
  readonly scopes: readonly string[];
  /** The only tenant that is seen; `{claim}` takes it from the token. */
  readonly tenant?: string | undefined;
  /** The only owner whose keys are seen; `user/{sub}` takes its name from the token. */
  readonly owner?: string | undefined;
  /** With an owner: what its keys may be given. */
  readonly grantable_scopes?: readonly string[] | undefined;
}

/** Something that is wrong with an entry. `at` is its place below `admin_identities`. */
interface IdentityProblem {
  readonly at: readonly PropertyKey[];
  /** Follows the name of the place. */
  readonly message: string;
}

/** `{claim}` where a value is taken from a token: the claim's name. */
const PLACEHOLDER = /^\{([^{}]{1,200})\}$/;

/** What a name in a certificate looks like. */
const CERTIFICATE_NAME = /^(?:[a-z][a-z0-9+.-]*:\/\/|dns:|email:|cn:)[\x20-\x7e]{1,500}$/;

const CERTIFICATE_BOUND = "must be a URI such as spiffe://example.org/ops, or dns:, email: or cn: and a name";

/** All that one who is bound to an owner can use. */
const SCOPES_OF_OWNERS: readonly string[] = ["keys:read", "keys:write"] satisfies AdminScope[];

/** The name of the claim that a value is taken from; undefined where it is a value itself. */
export function claimMeant(value: string): string | undefined {
  return PLACEHOLDER.exec(value)?.[1];
}

/** The parts of an owner: its kind with the slash, and its name or `{claim}`. */
export function ownerParts(owner: string): readonly [kind: string, name: string] {
  const slash = owner.indexOf("/") + 1;
  return [owner.slice(0, slash), owner.slice(slash)];
}

/** Lists what is wrong with the identities. `definedScopes` is empty where any scope will do. */
export function adminIdentityProblems(
  identities: readonly AdminIdentityConfig[],
  definedScopes: readonly string[],
): IdentityProblem[] {
  return identities.flatMap((identity, index) => [
    ...whoProblems(identity).map(({ at, message }) => ({ at: [index, ...at], message })),
    ...mayProblems(identity, definedScopes).map(({ at, message }) => ({ at: [index, ...at], message })),
  ]);
}

function whoProblems({ certificate, claims, tenant, owner }: AdminIdentityConfig): IdentityProblem[] {
  const problems: IdentityProblem[] = [];
  if ((certificate === undefined) === (claims === undefined)) {
    problems.push({ at: [], message: "must have either certificate or claims" });
  }
  if (certificate !== undefined && !CERTIFICATE_NAME.test(certificate)) {
    problems.push({ at: ["certificate"], message: `${show(certificate)} ${CERTIFICATE_BOUND}` });
  }
  // An entry that asks for nothing would be for everybody whom the issuer knows.
  if (claims !== undefined && Object.keys(claims).length === 0) {
    problems.push({ at: ["claims"], message: "must name at least one claim" });
  }
  const isTaken = (value: string) => claims !== undefined && claimMeant(value) !== undefined;
  if (tenant !== undefined && !isTenant(tenant) && !isTaken(tenant)) {
    problems.push({ at: ["tenant"], message: `${show(tenant)} must be ${TENANT_FORM}, or with claims "{claim}"` });
  }
  if (owner !== undefined) {
    const [kind, name] = ownerParts(owner);
    if (!isOwner(owner) && !(isOwner(`${kind}x`) && isTaken(name))) {
      problems.push({ at: ["owner"], message: `${show(owner)} must be ${OWNER_FORM}, or with claims "user/{claim}"` });
    }
  }
  return problems;
}

function mayProblems(
  { scopes, owner, grantable_scopes }: AdminIdentityConfig,
  definedScopes: readonly string[],
): IdentityProblem[] {
  const problems: IdentityProblem[] = [];
  if (scopes.length === 0) problems.push({ at: ["scopes"], message: "must name at least one admin scope" });
  for (const [index, scope] of scopes.entries()) {
    const allowed = owner === undefined ? ADMIN_SCOPES : SCOPES_OF_OWNERS;
    if (isAdminScope(scope) && allowed.includes(scope)) continue;
    const where = owner === undefined ? "" : " where there is an owner";
    problems.push({ at: ["scopes", index], message: `${show(scope)} must be one of ${allowed.join(", ")}${where}` });
  }
  if (grantable_scopes !== undefined && owner === undefined) {
    problems.push({ at: ["grantable_scopes"], message: "needs owner beside it; those of a tenant stand in tenants" });
  }
  for (const [index, scope] of (grantable_scopes ?? []).entries()) {
    const isKnown = isScope(scope) && isAmong(scope, definedScopes);
    if (!isKnown) problems.push({ at: ["grantable_scopes", index], message: `${show(scope)} is not among the scopes` });
  }
  return problems;
}
