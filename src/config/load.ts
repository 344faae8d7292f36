import { type CredentialSource, credentialProblems } from "../check/credential.ts";
import type { PolicyConfig } from "../policy/config.ts";
import { compilePolicy } from "../policy/policy.ts";
import { type AdminIdentityConfig, adminIdentityProblems } from "./admin-identities.ts";
import { judgeCoherence } from "./coherence.ts";
import { ConfigError } from "./config-error.ts";
import type { ConfigFile } from "./config-file.ts";
import type { Sources } from "./config-path.ts";
import { warnOfUnknownVariables } from "./environment.ts";
import { DEFAULT_ORIGIN, nameAt, type Origin } from "./origin.ts";
import { keptSecrets, readSecrets, type SecretKey } from "./secrets.ts";
import { SETTING_KEYS, type SettingKey, type Settings, type SettingValues } from "./settings.ts";
import { warnOfUnusedSingleKey } from "./single-key.ts";
import { collectValues, openConfigFile } from "./sources.ts";
import { placeName, STRUCTURE_KEYS, type Structures } from "./structures.ts";
import { type TenantConfig, tenantProblems } from "./tenants.ts";
import { toSettings, withDefaults } from "./to-settings.ts";

/** What has an origin: the settings of one value, the structures, and the secrets. */
type OriginKey = SettingKey | keyof Structures | SecretKey;

/** The configuration in effect, and what is to be told about it. */
export interface LoadedSettings {
  readonly settings: Settings;
  /** The same values by their names in the file, without the secrets and the structures. */
  readonly values: SettingValues;
  /** What the file says beside them. */
  readonly structures: Structures;
  /** Where each value came from, structures and those secrets that there are included. */
  readonly origins: ReadonlyMap<OriginKey, Origin>;
  /** Sentences for the operator. */
  readonly warnings: readonly string[];
  /** The file that was read, as it was named; undefined where there was none. */
  readonly file: string | undefined;
}

/**
 * Joins flags over environment over the file over defaults. Reads the file that `--config` or `KEYWARD_CONFIG` names, or
 * `keyward.yaml` in `cwd` if it is there, and the files of the secrets. Throws a ConfigError that holds every problem,
 * also those of values that another source overrides: whoever wrote them meant something else. Given what was loaded
 * before, the secrets are those of then: their files need not be there any more.
 */
export function loadSettings(sources: Sources, kept?: LoadedSettings): LoadedSettings {
  const file = openConfigFile(sources);
  const { found, problems: valueProblems } = collectValues(sources, file);
  const originOf = (key: SettingKey): Origin => found.get(key)?.origin ?? DEFAULT_ORIGIN;
  const origins = new Map<OriginKey, Origin>(SETTING_KEYS.map((key) => [key, originOf(key)]));
  // Each was read by its own type; one that is missing without a default is a problem, which is thrown below.
  const values = Object.fromEntries([...found].map(([key, { value }]) => [key, value])) as unknown as SettingValues;
  const { routes, scopes, credentials, tenants, adminIdentities } = withDefaults(file.structures);
  const policy: PolicyConfig = { routes, defaultAccess: values.default_access, scopes };
  for (const key of STRUCTURE_KEYS) origins.set(key, file.structureOrigin([key]));
  const given = kept === undefined ? readSecrets(values, originOf, sources) : keptSecrets(kept);
  for (const [key, origin] of given.origins) origins.set(key, origin);
  const problems = [
    ...file.problems,
    ...judgePolicy(policy, file),
    ...judgeCredentials(credentials, identityHeadersIn(values), file),
    ...judgeTenants(tenants, scopes, file),
    ...judgeAdminIdentities(adminIdentities, values, scopes, file),
    ...valueProblems,
    ...given.problems,
  ];
  if (problems.length > 0) throw new ConfigError(problems);

  // Only now: what settings mean for each other cannot be told while one of them is wrong.
  const { problems: conflicts, warnings } = judgeCoherence(values, originOf, origins.get("admin_key"), sources.cwd);
  if (conflicts.length > 0) throw new ConfigError(conflicts);
  return {
    settings: toSettings(values, file.structures, given.secrets),
    values,
    structures: file.structures,
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

function judgeAdminIdentities(
  identities: readonly AdminIdentityConfig[],
  values: SettingValues,
  scopes: PolicyConfig["scopes"] = {},
  file: ConfigFile,
): string[] {
  const problems = [
    ...adminIdentityProblems(identities, Object.keys(scopes)),
    ...identities.flatMap(({ certificate, claims }, index) => {
      const missing = (at: string, setting: SettingKey) => ({ at: [index, at], message: `needs ${setting}` });
      return [
        // Without it no client is asked for a certificate.
        ...(certificate !== undefined && values["tls.admin.client_ca"] === undefined
          ? [missing("certificate", "tls.admin.client_ca")]
          : []),
        ...(claims !== undefined && values["oidc.issuer"] === undefined ? [missing("claims", "oidc.issuer")] : []),
      ];
    }),
  ];
  return problems.map(({ at: below, message }) => {
    const at = ["admin_identities", ...below];
    return `${nameAt(placeName(at), file.structureOrigin(at))} ${message}`;
  });
}
