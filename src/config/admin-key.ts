import { resolve } from "node:path";
import { ADMIN_PREFIX, isSecret } from "../key/secret.ts";
import { type Environment, variable } from "./environment.ts";
import { envOrigin, type Origin } from "./origin.ts";
import { type Reading, show } from "./reading.ts";
import { variableOf } from "./settings.ts";
import { readTextFile } from "./text-file.ts";

/** The operator's admin key, and the variable that gave it. */
interface AdminKey {
  readonly secret: string;
  readonly origin: Origin;
}

/**
 * Reads the admin key from `KEYWARD_ADMIN_KEY`, or from the file that `KEYWARD_ADMIN_KEY_FILE` names, without the end of
 * the line. The value is undefined where neither is set. The secret stands in no problem, however wrong it is.
 */
export function readAdminKey(env: Environment, cwd: string): Reading<AdminKey | undefined> {
  const [name, fileName] = [variableOf("admin_key"), variableOf("admin_key_file")];
  const [text, file] = [variable(env, name), variable(env, fileName)];
  if (text !== undefined && file !== undefined) return { problem: `${name} and ${fileName} must not both be set` };
  if (text !== undefined) return accept(text, name, envOrigin("admin_key"));
  if (file === undefined) return { value: undefined };
  const reading = readTextFile(resolve(cwd, file));
  const place = `${fileName} ${show(file)}`;
  return "problem" in reading
    ? { problem: `${place} ${reading.problem}` }
    : accept(reading.value, place, envOrigin("admin_key_file"));
}

function accept(text: string, place: string, origin: Origin): Reading<AdminKey> {
  const secret = text.replace(/\r?\n$/, "");
  const isAdminKey = isSecret(secret) && secret.slice(0, secret.lastIndexOf("_")) === ADMIN_PREFIX;
  if (!isAdminKey) return { problem: `${place} does not hold a whole admin key (${ADMIN_PREFIX}_ and 49 characters)` };
  return { value: { secret, origin } };
}
