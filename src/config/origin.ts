import { flagOf, variableOf } from "./settings.ts";

/** Where a setting's value came from. */
export type Origin =
  | { readonly kind: "default" }
  | { readonly kind: "file"; readonly file: string; readonly line: number }
  | { readonly kind: "env"; readonly name: string }
  | { readonly kind: "flag"; readonly name: string };

/** A value and where it came from. */
export interface Found {
  readonly value: unknown;
  readonly origin: Origin;
}

/** The origin of what nobody set. */
export const DEFAULT_ORIGIN: Origin = { kind: "default" };

/** Writes an origin: `default`, `keyward.yaml:7`, `env KEYWARD_MODE` or `flag --mode`. */
export function formatOrigin(origin: Origin): string {
  switch (origin.kind) {
    case "default":
      return "default";
    case "file":
      return `${origin.file}:${origin.line}`;
    case "env":
      return `env ${origin.name}`;
    case "flag":
      return `flag ${origin.name}`;
  }
}

/** Names a setting the way its writer knows it, to begin a message with: `keyward.yaml:7: mode`, `--mode`, `mode`. */
export function nameAt(key: string, origin: Origin): string {
  if (origin.kind === "default") return key;
  return origin.kind === "file" ? `${formatOrigin(origin)}: ${key}` : origin.name;
}

/** The origin of what was given to the setting's flag. */
export function flagOrigin(key: string): Origin {
  return { kind: "flag", name: `--${flagOf(key)}` };
}

/** The origin of what the setting's environment variable said. */
export function envOrigin(key: string): Origin {
  return { kind: "env", name: variableOf(key) };
}
