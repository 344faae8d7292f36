import { Code } from "@connectrpc/connect";
import type { Settings } from "../../config/settings.ts";
import { ADMIN_PREFIX, isSecret } from "../../key/secret.ts";
import { isToken } from "../../key/token.ts";
import type { LoginFailure } from "../../observe/login-failures.ts";
import type { AdminKeys } from "../../store/admin-keys.ts";
import { secretDigest } from "../../store/digest.ts";
import { ADMIN_SCOPES } from "../admin-scope.ts";
import type { Caller } from "../caller.ts";
import { apiError, ISSUER_UNAVAILABLE } from "../errors.ts";
import { certificateNames } from "./certificate-names.ts";
import { createIdentities } from "./identities.ts";
import { IssuerUnavailableError } from "./issuer-unavailable.ts";
import type { LoginGuard } from "./login-guard.ts";
import type { Peer } from "./peer.ts";
import type { Verified } from "./token-verifier.ts";

/** Finds out who calls over the network. Rejects with the error that the caller is told. */
export type Login = (authorization: string | null, peer: Peer) => Promise<Caller>;

/** What telling callers apart needs. */
export interface LoginPorts {
  readonly store: AdminKeys;
  readonly guard: LoginGuard;
  /** Aborted once other settings of identities are in effect. */
  readonly reconsidered: AbortSignal;
  /** Told of each login that fails. `detail` never holds anything of what was presented. */
  readonly onFailure: (failure: LoginFailure, address: string, detail?: string) => void;
}

const BEARER = /^bearer +([\w.-]+)$/i;

/**
 * Makes the login of the admin API: an admin key or a token of the issuer in `Authorization: Bearer` (RFC 6750 §2.1), or
 * without that header a client certificate that the configuration knows. What is presented and wrong is never made good by
 * something else. The words for everything that is wrong are the same: who guesses learns nothing.
 */
export function createLogin(
  { oidc, adminIdentities }: Pick<Settings, "oidc" | "adminIdentities">,
  { store, guard, reconsidered, onFailure }: LoginPorts,
): Login {
  const identities = createIdentities(adminIdentities);
  const verify = oidc && verifierOf(oidc);

  const byAdminKey = (secret: string, source: string): Caller | undefined => {
    const record = isSecret(secret) ? store.adminKeyByDigest(secretDigest(secret)) : undefined;
    if (record === undefined || record.revokedAtMs !== undefined) return undefined;
    const { id, tenant, scopes } = record;
    return { name: id, source, scopes: ADMIN_SCOPES.filter((scope) => scopes.includes(scope)), tenant };
  };

  const byToken = async (token: string, source: string): Promise<Caller | { readonly refused: string }> => {
    const verified = await verify?.(token);
    if (verified === undefined) return { refused: "oidc.issuer is not set" };
    if ("refused" in verified) return verified;
    const { payload } = verified;
    const grant = identities.ofToken(payload);
    if (grant === undefined) return { refused: "no entry of admin_identities fits" };
    return { name: `oidc:${payload.sub}`, source, ...grant, validUntilMs: payload.exp * 1000, reconsidered };
  };

  const byCertificate = ({ certificate, address }: Peer): Caller | undefined => {
    const presented = certificate();
    // The handshake judged it when the connection was opened, which may be long ago.
    if (presented === undefined || Date.now() > presented.validToDate.getTime()) return undefined;
    const known = identities.ofCertificate(certificateNames(presented));
    const validUntilMs = presented.validToDate.getTime();
    return known && { name: `certificate:${known.name}`, source: address, ...known.grant, validUntilMs, reconsidered };
  };

  const refuse = async (failure: LoginFailure, address: string, detail?: string): Promise<never> => {
    onFailure(failure, address, detail);
    await guard.failed(address);
    throw unauthenticated(`the admin key ${verify ? "or token " : ""}is not valid`);
  };

  return async (authorization, peer) => {
    const { address } = peer;
    if (authorization === null) {
      const caller = byCertificate(peer);
      if (caller !== undefined) return caller;
      onFailure("none", address);
      throw unauthenticated("an admin key is needed: Authorization: Bearer kwadm_…");
    }
    if (!guard.admits(address)) {
      onFailure("throttled", address);
      const message = "too many logins from this address have failed; wait a few seconds";
      throw apiError(Code.ResourceExhausted, "TOO_MANY_FAILED_LOGINS", message);
    }
    const presented = BEARER.exec(authorization)?.[1] ?? "";
    if (presented.startsWith(`${ADMIN_PREFIX}_`)) {
      return byAdminKey(presented, address) ?? refuse("admin_key", address);
    }
    if (!isToken(presented)) return refuse("malformed", address);
    const found = await byToken(presented, address).catch((error: unknown) => {
      if (!(error instanceof IssuerUnavailableError)) throw error;
      onFailure("issuer_unavailable", address, causeOf(error));
      const message = "the keys of the tokens' issuer cannot be had now; try again";
      throw apiError(Code.Unavailable, ISSUER_UNAVAILABLE, message);
    });
    return "refused" in found ? refuse("token", address, found.refused) : found;
  };
}

/** What verifies tokens is loaded for the first of them, with the library that reads them. */
function verifierOf(oidc: NonNullable<Settings["oidc"]>): (token: string) => Promise<Verified> {
  let verifier: Promise<(token: string) => Promise<Verified>> | undefined;
  return async (token) => {
    verifier ??= import("./token-verifier.ts").then(({ createTokenVerifier }) => createTokenVerifier(oidc));
    return (await verifier)(token);
  };
}

function unauthenticated(message: string) {
  return apiError(Code.Unauthenticated, "UNAUTHENTICATED", message);
}

/** All messages from the outermost error to the first. */
function causeOf(error: unknown): string {
  const messages: string[] = [];
  for (let cause = error; cause instanceof Error; cause = cause.cause) messages.push(cause.message);
  return messages.join(": ");
}
