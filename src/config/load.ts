import { type CredentialSource, credentialProblems, DEFAULT_SOURCES } from "../check/credential.ts";
import type { PolicyConfig } from "../policy/config.ts";
import { compilePolicy } from "../policy/policy.ts";
import { readAdminKey } from "./admin-key.ts";
import { judgeCoherence } from "./coherence.ts";
import type { ConfigFile } from "./config-file.ts";
import { readEncryptionKey } from "./encryption-key.ts";
import { warnOfUnknownVariables } from "./environment.ts";
import { readKeyBytes } from "./key-bytes.ts";
import { DEFAULT_ORIGIN, nameAt, type Origin } from "./origin.ts";
import { SETTING_KEYS, type SettingKey, type Settings, type SettingValues } from "./settings.ts";
import { type GivenSingleKey, readSingleKey, servedMode, warnOfUnusedSingleKey } from "./single-key.ts";
import { collectValues, openConfigFile, type Sources } from "./sources.ts";
import { placeName, STRUCTURE_KEYS, type Structures } from "./structures.ts";
import { type TenantConfig, tenantProblems } from "./tenants.ts";

/** What has an origin: the settings of one value, the structures, and the secrets. */
type OriginKey = SettingKey | keyof Structures | "admin_key" | "encryption_key" | "single_key_secret";

/** The configuration in effect, and what is to be told about it. */
export interface LoadedSettings {
  readonly settings: Settings;
  /** The same values by their names in the file, without the secrets and the structures. */
  readonly values: SettingValues;
  /** Where each value came from, structures and those secrets that there are included. */
  readonly origins: ReadonlyMap<OriginKey, Origin>;
  /** Sentences for the operator. */
  readonly warnings: readonly string[];
  /** The file that was read, as it was named; undefined where there was none. */
  readonly file: string | undefined;
}

/** The configuration cannot be used. The message is all problems, one a line. */
export class ConfigError extends Error {
  readonly code = "config_invalid";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.name = "ConfigError";
    this.problems = problems;
  }
}

/**
 * Joins flags over environment over the file over defaults. Reads the file that `--config` or `KEYWARD_CONFIG` names, or
 * `keyward.yaml` in `cwd` if it is there, and the files of the secrets. Throws a ConfigError that holds every problem,
 * also those of values that another source overrides: whoever wrote them meant something else.
 */
export function loadSettings(sources: Sources): LoadedSettings {
  const file = openConfigFile(sources);
  const { found, problems: valueProblems } = collectValues(sources, file);
  const originOf = (key: SettingKey): Origin => found.get(key)?.origin ?? DEFAULT_ORIGIN;
  const origins = new Map<OriginKey, Origin>(SETTING_KEYS.map((key) => [key, originOf(key)]));
  // Each was read by its own type; one that is missing without a default is a problem, which is thrown below.
  const values = Object.fromEntries([...found].map(([key, { value }]) => [key, value])) as unknown as SettingValues;
  const { routes = [], scopes, credentials = DEFAULT_SOURCES, tenants = {} } = file.structures;
  const policy: PolicyConfig = { routes, defaultAccess: values.default_access, scopes };
  for (const key of STRUCTURE_KEYS) origins.set(key, file.structureOrigin([key]));
  const adminKey = readAdminKey(sources.env, sources.cwd);
  // Who serves checks alone signs nothing, and need not be able to read the file.
  const encryptionKey =
    servedMode(values) === "authz"
      ? { value: undefined }
      : readEncryptionKey(values.encryption_key_file, originOf("encryption_key_file"), sources.env, sources.cwd);
  const singleKey = values.single_key ? readSingleKey(sources.env, sources.cwd) : { value: undefined };
  const problems = [
    ...file.problems,
    ...judgePolicy(policy, file),
    ...judgeCredentials(credentials, identityHeadersIn(values), file),
    ...judgeTenants(tenants, scopes, file),
    ...valueProblems,
  ];
  for (const reading of [adminKey, encryptionKey, singleKey]) if ("problem" in reading) problems.push(reading.problem);
  if ("problem" in adminKey || "problem" in encryptionKey || "problem" in singleKey || problems.length > 0) {
    throw new ConfigError(problems);
  }
  const adminKeyOrigin = adminKey.value?.origin;
  if (adminKeyOrigin !== undefined) origins.set("admin_key", adminKeyOrigin);
  if (encryptionKey.value !== undefined) origins.set("encryption_key", encryptionKey.value.origin);
  if (singleKey.value?.origin !== undefined) origins.set("single_key_secret", singleKey.value.origin);

  // Only now: what settings mean for each other cannot be told while one of them is wrong.
  const { problems: conflicts, warnings } = judgeCoherence(values, originOf, adminKeyOrigin, sources.cwd);
  if (conflicts.length > 0) throw new ConfigError(conflicts);
  const secrets = { adminKey: adminKey.value?.secret, encryptionKey: encryptionKey.value?.secret };
  const settings = toSettings(values, policy, credentials, tenants, secrets, singleKey.value);
  return {
    settings,
    values,
    origins,
    warnings: [...warnOfUnknownVariables(sources.env), ...warnOfUnusedSingleKey(values, sources.env), ...warnings],
    file: file.name,
  };
}

function judgePolicy(policy: PolicyConfig, file: ConfigFile): string[] {
  const compiled = compilePolicy(policy);
  if (!("problems" in compiled)) return [];
  const tell = (at: readonly PropertyKey[], message: string) =>
    `${nameAt(placeName(at), file.structureOrigin(at))} ${message}`;
  return [
    ...compiled.problems.map(({ route, field, message }) =>
      tell(["routes", route, ...(field ? [field] : [])], message),
    ),
    ...compiled.scopeProblems.map(({ scope, message }) => tell(["scopes", scope], message)),
  ];
}

function identityHeadersIn(values: SettingValues): string[] {
  return (["key_id", "owner", "tenant", "scopes"] as const).map((name) => values[`identity_headers.${name}`]);
}

function judgeCredentials(
  credentials: readonly CredentialSource[],
  identityHeaders: readonly string[],
  file: ConfigFile,
): string[] {
  return credentialProblems(credentials, identityHeaders).map(({ source, message }) => {
    const at = ["credentials", source];
    return `${nameAt(placeName(at), file.structureOrigin(at))} ${message}`;
  });
}

function judgeTenants(
  tenants: Readonly<Record<string, TenantConfig>>,
  scopes: PolicyConfig["scopes"] = {},
  file: ConfigFile,
): string[] {
  return tenantProblems(tenants, Object.keys(scopes)).map(({ at: below, message }) => {
    const at = ["tenants", ...below];
    return `${nameAt(placeName(at), file.structureOrigin(at))} ${message}`;
  });
}

function toSettings(
  values: SettingValues,
  policy: PolicyConfig,
  credentials: readonly CredentialSource[],
  tenants: Readonly<Record<string, TenantConfig>>,
  { adminKey, encryptionKey }: { readonly [Name in "adminKey" | "encryptionKey"]: string | undefined },
  singleKey: GivenSingleKey | undefined,
): Settings {
  const writeAdminKey = values.write_admin_key;
  const encryptionBytes = encryptionKey === undefined ? undefined : readKeyBytes(encryptionKey);
  return {
    mode: servedMode(values),
    database: values.database,
    listen: {
      authz: values["listen.authz"],
      admin: values["listen.admin"],
      adminLocal: values["listen.admin_local"],
      ops: values["listen.ops"],
    },
    insecureAdmin: values.insecure_admin,
    checkThreads: values.check_threads,
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
    ...(adminKey === undefined ? {} : { adminKey }),
    jwt: { issuer: values["jwt.issuer"], audience: values["jwt.audience"] },
    rest: { defaultFormat: values["rest.default_format"] },
    ...(encryptionBytes === undefined ? {} : { encryptionKey: encryptionBytes }),
    ...(writeAdminKey === undefined ? {} : { writeAdminKey }),
    ...(singleKey === undefined ? {} : { singleKey: { digest: singleKey.digest } }),
    policy,
    credentials,
    tenants: new Map(Object.entries(tenants)),
  };
}
