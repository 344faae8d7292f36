import { resolve } from "node:path";
import { type Environment, variable } from "./environment.ts";
import { variableOf } from "./settings.ts";

/** What the command line said, by the name of the flag without dashes: `{ "check-threads": "2", config: "k.yaml" }`. */
export type Flags = Readonly<Record<string, string | boolean | undefined>>;

/** Where settings come from. Relative paths start from `cwd`. */
export interface Sources {
  readonly flags: Flags;
  readonly env: Environment;
  readonly cwd: string;
}

/** The file that is read where none is named, if it is there. */
export const DEFAULT_CONFIG_FILE = "keyward.yaml";

/** Where the configuration file is, or would be if there is none. */
export function configPath(sources: Sources): string {
  const { flag, variable: named } = configNames(sources);
  return resolve(sources.cwd, flag ?? named ?? DEFAULT_CONFIG_FILE);
}

/** What the flag and the environment name as the configuration file; the flag has the last word. */
export function configNames({ flags, env }: Sources) {
  const flag = typeof flags.config === "string" ? flags.config : undefined;
  return { flag, variable: variable(env, variableOf("config")) };
}
