import { resolve } from "node:path";
import { type Environment, variable } from "./environment.ts";
import { envOrigin, type Origin } from "./origin.ts";
import { type Reading, show } from "./reading.ts";
import { variableOf } from "./settings.ts";
import { readTextFile } from "./text-file.ts";

/** A secret of the operator's choice, and what gave it. */
export interface GivenSecret {
  readonly secret: string;
  readonly origin: Origin;
}

/** The names of the variables that give a secret: the one that holds it, and the one that names a file. */
export function secretVariables(key: string): readonly [variable: string, file: string] {
  return [variableOf(key), variableOf(fileKey(key))];
}

/**
 * Reads a secret from its variable, or from the file that the variable with `_FILE` at its end names, without the end of
 * the line. The value is undefined where neither is set. `problemOf` judges it, and says what is wrong as a phrase that
 * follows the variable's name. The secret stands in no problem, however wrong it is.
 */
export function readSecretVariable(
  key: string,
  problemOf: (secret: string) => string | undefined,
  env: Environment,
  cwd: string,
): Reading<GivenSecret | undefined> {
  const [name, fileName] = secretVariables(key);
  const [text, file] = [variable(env, name), variable(env, fileName)];
  if (text !== undefined && file !== undefined) return { problem: `${name} and ${fileName} must not both be set` };
  if (text !== undefined) return acceptSecret(text, problemOf, name, envOrigin(key));
  if (file === undefined) return { value: undefined };
  return readSecretFile(resolve(cwd, file), problemOf, `${fileName} ${show(file)}`, envOrigin(fileKey(key)));
}

/** Reads a secret from the file at a path, without the end of the line. `place` names it in problems. */
export function readSecretFile(
  path: string,
  problemOf: (secret: string) => string | undefined,
  place: string,
  origin: Origin,
): Reading<GivenSecret> {
  const reading = readTextFile(path);
  return "problem" in reading
    ? { problem: `${place} ${reading.problem}` }
    : acceptSecret(reading.value, problemOf, place, origin);
}

/** Judges a secret as it was found, of which the end of the line is no part. */
export function acceptSecret(
  text: string,
  problemOf: (secret: string) => string | undefined,
  place: string,
  origin: Origin,
): Reading<GivenSecret> {
  const secret = text.replace(/\r?\n$/, "");
  const problem = problemOf(secret);
  return problem === undefined ? { value: { secret, origin } } : { problem: `${place} ${problem}` };
}

function fileKey(key: string): string {
  return `${key}_file`;
}
