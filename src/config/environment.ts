import { nearest } from "./nearest.ts";
import { SETTING_KEYS, settingVariableOf } from "./settings.ts";

/** The variables of a process, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Variables that have a meaning without being settings of one value; the CLI reads some of them. */
const OTHER_VARIABLES = [
  "KEYWARD_CONFIG",
  "KEYWARD_ADMIN_KEY",
  "KEYWARD_ADMIN_KEY_FILE",
  "KEYWARD_ADMIN_URL",
  "KEYWARD_ADMIN_TOKEN",
  "KEYWARD_ADMIN_TOKEN_FILE",
  "KEYWARD_ADMIN_CA",
  "KEYWARD_ADMIN_CERT",
  "KEYWARD_ADMIN_CERT_KEY",
  "KEYWARD_ENCRYPTION_KEY",
  "KEYWARD_SINGLE_KEY",
  "KEYWARD_SINGLE_KEY_FILE",
];

const KNOWN: ReadonlySet<string> = new Set([
  ...SETTING_KEYS.flatMap((key) => settingVariableOf(key) ?? []),
  ...OTHER_VARIABLES,
]);

/** Kubernetes sets these in every pod of a namespace that has a service named keyward or keyward-something. */
const SERVICE_LINK =
  /^KEYWARD_(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_\w+)?)?)$/;

/**
 * Returns what a variable says, undefined where it is not set. Set to nothing is not set: templates of containers leave
 * such variables behind for what nobody filled in.
 */
export function variable(env: Environment, name: string): string | undefined {
  return env[name] || undefined;
}

/** Returns a sentence for each `KEYWARD_…` variable that nothing reads, so that a typo does not stay unseen. */
export function warnOfUnknownVariables(env: Environment): string[] {
  const unknown = Object.keys(env).filter(
    (name) => name.startsWith("KEYWARD_") && !KNOWN.has(name) && !SERVICE_LINK.test(name),
  );
  return unknown.map((name) => {
    const meant = nearest(
      name.slice("KEYWARD_".length),
      [...KNOWN].map((known) => known.slice("KEYWARD_".length)),
    );
    const hint = meant === undefined ? "" : ` (did you mean KEYWARD_${meant}?)`;
    return `${name} is not a setting and is ignored${hint}`;
  });
}
