import { ADMIN_PREFIX, isSecret } from "../key/secret.ts";
import type { Environment } from "./environment.ts";
import type { Reading } from "./reading.ts";
import { type GivenSecret, readSecretVariable } from "./secret-variable.ts";

/** Reads the operator's admin key from `KEYWARD_ADMIN_KEY`, or from the file that `KEYWARD_ADMIN_KEY_FILE` names. */
export function readAdminKey(env: Environment, cwd: string): Reading<GivenSecret | undefined> {
  return readSecretVariable("admin_key", problemOf, env, cwd);
}

/** Whether a text is a whole key of the administrators' prefix. */
export function isAdminSecret(secret: string): boolean {
  return isSecret(secret) && secret.slice(0, secret.lastIndexOf("_")) === ADMIN_PREFIX;
}

function problemOf(secret: string): string | undefined {
  return isAdminSecret(secret) ? undefined : `does not hold a whole admin key (${ADMIN_PREFIX}_ and 49 characters)`;
}
