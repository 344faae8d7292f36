import type { JWTPayload } from "jose";
import { type AdminIdentityConfig, claimMeant, ownerParts } from "../../config/admin-identities.ts";
import { isOwner } from "../../key/owner.ts";
import { isTenant } from "../../key/tenant.ts";
import { ADMIN_SCOPES } from "../admin-scope.ts";
import type { Caller } from "../caller.ts";
import { type CertificateName, nameMeant } from "./certificate-names.ts";
import { hasClaim, textClaim } from "./claims.ts";

/** What an identity gives to whoever is one. */
type Grant = Pick<Caller, "scopes" | "tenant" | "owner" | "grantableScopes">;

/** Finds what the configuration says of callers; the first entry that fits counts, and none is `undefined`. */
export interface Identities {
  /** `name` is the configured text of the name that fits. */
  ofCertificate(names: readonly CertificateName[]): { readonly name: string; readonly grant: Grant } | undefined;
  /**
   * A token that lacks the claim from which tenant or owner are taken, or has something there that can be none, is
   * nobody's: it must never be a caller who is bound to nothing.
   */
  ofToken(payload: JWTPayload): Grant | undefined;
}

export function createIdentities(entries: readonly AdminIdentityConfig[]): Identities {
  const certificates = entries.flatMap((entry) => {
    const { certificate: name, tenant, owner } = entry;
    return name === undefined ? [] : [{ name, meant: nameMeant(name), grant: grantOf(entry, tenant, owner) }];
  });
  return {
    ofCertificate(names) {
      return certificates.find(({ meant }) =>
        names.some(({ kind, value }) => kind === meant.kind && value === meant.value),
      );
    },

    ofToken(payload) {
      const entry = entries.find(
        ({ claims }) => claims && Object.entries(claims).every(([name, value]) => hasClaim(payload, name, value)),
      );
      if (entry === undefined) return undefined;
      const tenant = entry.tenant === undefined ? undefined : filled(entry.tenant, payload);
      const owner = entry.owner === undefined ? undefined : filledOwner(entry.owner, payload);
      if (entry.tenant !== undefined && (tenant === undefined || !isTenant(tenant))) return undefined;
      if (entry.owner !== undefined && (owner === undefined || !isOwner(owner))) return undefined;
      return grantOf(entry, tenant, owner);
    },
  };
}

function grantOf(
  { scopes, grantable_scopes: grantableScopes }: AdminIdentityConfig,
  tenant: string | undefined,
  owner: string | undefined,
): Grant {
  return { scopes: ADMIN_SCOPES.filter((scope) => scopes.includes(scope)), tenant, owner, grantableScopes };
}

function filled(value: string, payload: JWTPayload): string | undefined {
  const claim = claimMeant(value);
  return claim === undefined ? value : textClaim(payload, claim);
}

function filledOwner(owner: string, payload: JWTPayload): string | undefined {
  const [kind, name] = ownerParts(owner);
  const value = filled(name, payload);
  return value === undefined ? undefined : kind + value;
}
