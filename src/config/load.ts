import { type CredentialSource, credentialProblems, DEFAULT_SOURCES } from "../check/credential.ts";
import type { PolicyConfig } from "../policy/config.ts";
import { compilePolicy } from "../policy/policy.ts";
import { readAdminKey } from "./admin-key.ts";
import { judgeCoherence } from "./coherence.ts";
import type { ConfigFile } from "./config-file.ts";
import { warnOfUnknownVariables } from "./environment.ts";
import { DEFAULT_ORIGIN, nameAt, type Origin } from "./origin.ts";
import { SETTING_KEYS, type SettingKey, type Settings, type SettingValues } from "./settings.ts";
import { collectValues, openConfigFile, type Sources } from "./sources.ts";
import { placeName, STRUCTURE_KEYS, type Structures } from "./structures.ts";

/** What has an origin: the settings of one value, and the two others. */
type OriginKey = SettingKey | keyof Structures | "admin_key";

/** The configuration in effect, and what is to be told about it. */
export interface LoadedSettings {
  readonly settings: Settings;
  /** The same values by their names in the file, without the admin key and the structures. */
  readonly values: SettingValues;
  /** Where each value came from, structures and (if there is one) `admin_key` included. */
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
 * `keyward.yaml` in `cwd` if it is there, and the admin key's file. Throws a ConfigError that holds every problem, also
 * those of values that another source overrides: whoever wrote them meant something else.
 */
export function loadSettings(sources: Sources): LoadedSettings {
  const file = openConfigFile(sources);
  const { found, problems: valueProblems } = collectValues(sources, file);
  const originOf = (key: SettingKey): Origin => found.get(key)?.origin ?? DEFAULT_ORIGIN;
  const origins = new Map<OriginKey, Origin>(SETTING_KEYS.map((key) => [key, originOf(key)]));
  // Each was read by its own type; one that is missing without a default is a problem, which is thrown below.
  const values = Object.fromEntries([...found].map(([key, { value }]) => [key, value])) as unknown as SettingValues;
  const { routes = [], scopes, credentials = DEFAULT_SOURCES } = file.structures;
  const policy: PolicyConfig = { routes, defaultAccess: values.default_access, scopes };
  for (const key of STRUCTURE_KEYS) origins.set(key, file.structureOrigin([key]));
  const adminKey = readAdminKey(sources.env, sources.cwd);
  const problems = [
    ...file.problems,
    ...judgePolicy(policy, file),
    ...judgeCredentials(credentials, identityHeadersIn(values), file),
    ...valueProblems,
  ];
  if ("problem" in adminKey) throw new ConfigError([...problems, adminKey.problem]);
  if (problems.length > 0) throw new ConfigError(problems);
  if (adminKey.value !== undefined) origins.set("admin_key", adminKey.value.origin);

  // Only now: what settings mean for each other cannot be told while one of them is wrong.
  const { problems: conflicts, warnings } = judgeCoherence(values, originOf, sources.cwd);
  if (conflicts.length > 0) throw new ConfigError(conflicts);
  const settings = toSettings(values, policy, credentials, adminKey.value?.secret);
  return {
    settings,
    values,
    origins,
    warnings: [...warnOfUnknownVariables(sources.env), ...warnings],
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

function toSettings(
  values: SettingValues,
  policy: PolicyConfig,
  credentials: readonly CredentialSource[],
  adminKey: string | undefined,
): Settings {
  const writeAdminKey = values.write_admin_key;
  return {
    mode: values.mode,
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
    onStoreError: values.on_store_error,
    shutdownDelayMs: values.shutdown_delay,
    shutdownTimeoutMs: values.shutdown_timeout,
    log: { level: values["log.level"], format: values["log.format"] },
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
    ...(writeAdminKey === undefined ? {} : { writeAdminKey }),
    policy,
    credentials,
  };
}
