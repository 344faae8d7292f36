import type { PolicyConfig } from "../policy/config.ts";
import { compilePolicy } from "../policy/policy.ts";
import { readAdminKey } from "./admin-key.ts";
import { judgeCoherence } from "./coherence.ts";
import type { ConfigFile } from "./config-file.ts";
import { warnOfUnknownVariables } from "./environment.ts";
import { DEFAULT_ORIGIN, nameAt, type Origin } from "./origin.ts";
import { routePlace } from "./route-shape.ts";
import { SETTING_KEYS, type SettingKey, type Settings, type SettingValues } from "./settings.ts";
import { collectValues, openConfigFile, type Sources } from "./sources.ts";

/** What has an origin: the settings of one value, and the two others. */
type OriginKey = SettingKey | "routes" | "admin_key";

/** The configuration in effect, and what is to be told about it. */
export interface LoadedSettings {
  readonly settings: Settings;
  /** The same values by their names in the file, without the admin key and the routes. */
  readonly values: SettingValues;
  /** Where each value came from, `routes` and (if there is one) `admin_key` included. */
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
  const policy: PolicyConfig = { routes: file.routes, defaultAccess: values.default_access };
  origins.set("routes", file.routeOrigin([]));
  const adminKey = readAdminKey(sources.env, sources.cwd);
  const problems = [...file.problems, ...judgePolicy(policy, file), ...valueProblems];
  if ("problem" in adminKey) throw new ConfigError([...problems, adminKey.problem]);
  if (problems.length > 0) throw new ConfigError(problems);
  if (adminKey.value !== undefined) origins.set("admin_key", adminKey.value.origin);

  // Only now: what settings mean for each other cannot be told while one of them is wrong.
  const { problems: conflicts, warnings } = judgeCoherence(values, originOf, sources.cwd);
  if (conflicts.length > 0) throw new ConfigError(conflicts);
  const settings = toSettings(values, policy, adminKey.value?.secret);
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
  return compiled.problems.map(({ route, field, message }) => {
    const at = field === undefined ? [route] : [route, field];
    return `${nameAt(routePlace(at), file.routeOrigin(at))} ${message}`;
  });
}

function toSettings(values: SettingValues, policy: PolicyConfig, adminKey: string | undefined): Settings {
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
    onStoreError: values.on_store_error,
    shutdownDelayMs: values.shutdown_delay,
    shutdownTimeoutMs: values.shutdown_timeout,
    log: { level: values["log.level"], format: values["log.format"] },
    cache: { maxKeys: values["cache.max_keys"], maxUnknown: values["cache.max_unknown"] },
    realm: values.realm,
    identityHeaders: {
      keyId: values["identity_headers.key_id"],
      owner: values["identity_headers.owner"],
      tenant: values["identity_headers.tenant"],
      scopes: values["identity_headers.scopes"],
    },
    ...(adminKey === undefined ? {} : { adminKey }),
    ...(writeAdminKey === undefined ? {} : { writeAdminKey }),
    policy,
  };
}
