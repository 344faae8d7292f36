import { resolve } from "node:path";
import { type Environment, variable } from "./environment.ts";
import { readKeyBytes } from "./key-bytes.ts";
import { envOrigin, nameAt, type Origin } from "./origin.ts";
import { type Reading, show } from "./reading.ts";
import { acceptSecret, type GivenSecret, readSecretFile } from "./secret-variable.ts";
import { variableOf } from "./settings.ts";

/**
 * Reads what encrypts the signing keys: from `KEYWARD_ENCRYPTION_KEY`, or from the file of `encryption_key_file`, whose
 * value and origin are given. As everywhere, a flag wins over the environment, and that over the configuration file; the
 * variables that give the key and the file must not both be set. The value is undefined where there is neither.
 */
export function readEncryptionKey(
  file: string | undefined,
  fileOrigin: Origin,
  env: Environment,
  cwd: string,
): Reading<GivenSecret | undefined> {
  const name = variableOf("encryption_key");
  const text = variable(env, name);
  if (text !== undefined && file !== undefined && fileOrigin.kind === "env") {
    return { problem: `${name} and ${fileOrigin.name} must not both be set` };
  }
  if (text !== undefined && fileOrigin.kind !== "flag") {
    return acceptSecret(text, problemOf, name, envOrigin("encryption_key"));
  }
  if (file === undefined) return { value: undefined };
  const place = `${nameAt("encryption_key_file", fileOrigin)} ${show(file)}`;
  return readSecretFile(resolve(cwd, file), problemOf, place, fileOrigin);
}

function problemOf(secret: string): string | undefined {
  if (readKeyBytes(secret) !== undefined) return undefined;
  return "does not hold 32 bytes in base64 or hex, on one line (openssl rand -base64 32 makes them)";
}
