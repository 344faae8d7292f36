import { DEFAULT_SOURCES } from "../check/credential.ts";
import type { Secrets } from "./secrets.ts";
import type { Settings, SettingValues } from "./settings.ts";
import { servedMode } from "./single-key.ts";
import type { Structures } from "./structures.ts";
import { tlsFilesIn } from "./tls.ts";

/** Puts together what the threads are given. */
export function toSettings(values: SettingValues, structures: Structures, secrets: Secrets): Settings {
  const writeAdminKey = values.write_admin_key;
  const { routes, scopes, credentials, tenants, adminIdentities } = withDefaults(structures);
  const oidc = oidcIn(values);
  return {
    mode: servedMode(values),
    database: values.database,
    listen: {
      authz: values["listen.authz"],
      forwardAuth: values["listen.forward_auth"],
      admin: values["listen.admin"],
      adminLocal: values["listen.admin_local"],
      ops: values["listen.ops"],
    },
    tls: tlsFilesIn(values),
    insecureAdmin: values.insecure_admin,
    checkThreads: values.check_threads,
    transport: values.transport,
    maxConnectionAgeMs: values.max_connection_age,
    trustedHops: values["client_address.trusted_hops"],
    // Never is longer than any bound, so a bound alone is what a key gets for which nothing is said.
    keyLifetime: {
      defaultMs: values["key_lifetime.default"] ?? values["key_lifetime.max"],
      maxMs: values["key_lifetime.max"],
    },
    retention: { endedKeysMs: values["retention.ended_keys"], auditMs: values["retention.audit"] },
    onStoreError: values.on_store_error,
    stale: { serveForMs: values["stale.serve_for"] },
    shutdownDelayMs: values.shutdown_delay,
    shutdownTimeoutMs: values.shutdown_timeout,
    log: { level: values["log.level"], format: values["log.format"], allowed: values["log.allowed"] },
    alerts: {
      requestsPerHour: values["alerts.requests_per_hour"],
      denialsPerMinute: values["alerts.denials_per_minute"],
    },
    cache: { maxKeys: values["cache.max_keys"], maxUnknown: values["cache.max_unknown"] },
    realm: values.realm,
    wwwAuthenticate: values.www_authenticate,
    expiryWarningMs: values.expiry_warning,
    identityHeaders: {
      keyId: values["identity_headers.key_id"],
      owner: values["identity_headers.owner"],
      tenant: values["identity_headers.tenant"],
      scopes: values["identity_headers.scopes"],
    },
    jwt: { issuer: values["jwt.issuer"], audience: values["jwt.audience"] },
    rest: { defaultFormat: values["rest.default_format"] },
    ...(writeAdminKey === undefined ? {} : { writeAdminKey }),
    ...secrets,
    policy: { routes, defaultAccess: values.default_access, scopes },
    credentials,
    tenants: new Map(Object.entries(tenants)),
    adminIdentities,
    ...(oidc && { oidc }),
  };
}

function oidcIn(values: SettingValues): Settings["oidc"] {
  const { "oidc.issuer": issuer, "oidc.audience": audience, "oidc.jwks_url": jwksUrl } = values;
  if (issuer === undefined || audience === undefined) return undefined;
  return { issuer, audience, jwksUrl, clockToleranceMs: values["oidc.clock_tolerance"] };
}

/** The structures in effect where a file says these. Without `scopes`, any text of the form of a scope is one. */
export function withDefaults(structures: Structures) {
  const { routes = [], scopes, credentials = DEFAULT_SOURCES, tenants = {} } = structures;
  return { routes, scopes, credentials, tenants, adminIdentities: structures.admin_identities ?? [] };
}
