import { readAdminKey } from "./admin-key.ts";
import type { Sources } from "./config-path.ts";
import { readEncryptionKey } from "./encryption-key.ts";
import { readKeyBytes } from "./key-bytes.ts";
import type { Origin } from "./origin.ts";
import type { Reading } from "./reading.ts";
import type { SettingKey, Settings, SettingValues } from "./settings.ts";
import { readSingleKey, servedMode } from "./single-key.ts";

/** The secrets among the settings; each is undefined where there is none. */
export type Secrets = Pick<Settings, "adminKey" | "encryptionKey" | "singleKey">;

/** What the origin of a secret is known by. */
export type SecretKey = "admin_key" | "encryption_key" | "single_key_secret";

/** Secrets, and where those that there are came from. */
interface GivenSecrets {
  readonly secrets: Secrets;
  readonly origins: ReadonlyMap<SecretKey, Origin>;
  /** Whole sentences. */
  readonly problems: readonly string[];
}

/** Reads the secrets from the environment and from the files that are named there or in the settings. */
export function readSecrets(
  values: SettingValues,
  originOf: (key: SettingKey) => Origin,
  { env, cwd }: Pick<Sources, "env" | "cwd">,
): GivenSecrets {
  const origins = new Map<SecretKey, Origin>();
  const problems: string[] = [];
  const given = <Secret extends { readonly origin: Origin | undefined }>(
    key: SecretKey,
    reading: Reading<Secret | undefined>,
  ): Secret | undefined => {
    if ("problem" in reading) problems.push(reading.problem);
    else if (reading.value?.origin !== undefined) origins.set(key, reading.value.origin);
    return "problem" in reading ? undefined : reading.value;
  };
  const adminKey = given("admin_key", readAdminKey(env, cwd))?.secret;
  // Who serves checks alone signs nothing, and need not be able to read the file.
  const signs = servedMode(values) !== "authz";
  const encryption = signs
    ? readEncryptionKey(values.encryption_key_file, originOf("encryption_key_file"), env, cwd)
    : { value: undefined };
  const encryptionKey = readKeyBytes(given("encryption_key", encryption)?.secret ?? "");
  const single = values.single_key ? readSingleKey(env, cwd) : { value: undefined };
  const singleKey = given("single_key_secret", single);
  const secrets = {
    ...(adminKey === undefined ? {} : { adminKey }),
    ...(encryptionKey === undefined ? {} : { encryptionKey }),
    ...(singleKey === undefined ? {} : { singleKey: { digest: singleKey.digest } }),
  };
  return { secrets, origins, problems };
}

/** The secrets that were loaded before. */
export function keptSecrets(loaded: {
  readonly settings: Secrets;
  readonly origins: ReadonlyMap<string, Origin>;
}): GivenSecrets {
  const { adminKey, encryptionKey, singleKey } = loaded.settings;
  const secrets = {
    ...(adminKey === undefined ? {} : { adminKey }),
    ...(encryptionKey === undefined ? {} : { encryptionKey }),
    ...(singleKey === undefined ? {} : { singleKey }),
  };
  const origins = new Map<SecretKey, Origin>();
  for (const key of ["admin_key", "encryption_key", "single_key_secret"] as const) {
    const origin = loaded.origins.get(key);
    if (origin !== undefined) origins.set(key, origin);
  }
  return { secrets, origins, problems: [] };
}
