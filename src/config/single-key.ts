import { DEFAULT_PREFIX, isSecret } from "../key/secret.ts";
import { secretDigest } from "../store/digest.ts";
import { isAdminSecret } from "./admin-key.ts";
import { type Environment, variable } from "./environment.ts";
import { nameAt, type Origin } from "./origin.ts";
import type { Reading } from "./reading.ts";
import { readSecretVariable, secretVariables } from "./secret-variable.ts";
import type { SettingValues } from "./settings.ts";

/** The key of `single_key`, of which nothing but the SHA-256 (64 lower-case hex digits) is kept. */
export interface GivenSingleKey {
  /** Undefined: the operator gave none, and one is drawn at each start. */
  readonly digest: string | undefined;
  /** The variable that gave it. */
  readonly origin: Origin | undefined;
}

/** The mode in effect: where there is no store, there is nothing to administer. */
export function servedMode({ mode, single_key }: Pick<SettingValues, "mode" | "single_key">): SettingValues["mode"] {
  return single_key ? "authz" : mode;
}

/** Reads the key that `single_key` serves from `KEYWARD_SINGLE_KEY`, or from the file that `KEYWARD_SINGLE_KEY_FILE` names. */
export function readSingleKey(env: Environment, cwd: string): Reading<GivenSingleKey> {
  const reading = readSecretVariable("single_key", problemOf, env, cwd);
  if ("problem" in reading) return reading;
  const { secret, origin } = reading.value ?? {};
  return { value: { digest: secret === undefined ? undefined : secretDigest(secret), origin } };
}

function problemOf(secret: string): string | undefined {
  const how = "without it, serve --single-key draws a key and prints it";
  if (isAdminSecret(secret)) return `holds an admin key, which opens nothing on the data plane; ${how}`;
  if (isSecret(secret)) return undefined;
  return `does not hold a whole key (such as ${DEFAULT_PREFIX}_ and 49 characters); ${how}`;
}

/** What else cannot be where `single_key` is on. `describe` names a setting with its value. */
export function judgeSingleKey(
  values: SettingValues,
  adminKey: Origin | undefined,
  describe: (key: "single_key" | "mode" | "check_threads" | "write_admin_key") => string,
): string[] {
  if (!values.single_key) return [];
  const serves = `${describe("single_key")} serves checks of one key in memory`;
  const problems: string[] = [];
  if (values.mode === "admin") problems.push(`${serves}; ${describe("mode")} serves no checks`);
  if (values.check_threads > 1) {
    problems.push(
      `${serves}; ${describe("check_threads")} must be 1, since several threads guard their port by a lock beside the database`,
    );
  }
  if (values.write_admin_key !== undefined) {
    problems.push(`${serves}; ${describe("write_admin_key")} asks for an admin key, and there is no admin API`);
  }
  if (adminKey !== undefined) {
    problems.push(`${serves}; ${nameAt("admin_key", adminKey)} gives an admin key, and there is no admin API`);
  }
  return problems;
}

/** Tells of a single key that nobody asked to be served: whoever set it may believe that it opens something. */
export function warnOfUnusedSingleKey({ single_key }: Pick<SettingValues, "single_key">, env: Environment): string[] {
  if (single_key) return [];
  const set = secretVariables("single_key").filter((name) => variable(env, name) !== undefined);
  return set.map((name) => `${name} is set, but opens nothing without --single-key`);
}
