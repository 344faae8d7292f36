import { createGatheredLine } from "./gathered-line.ts";
import type { Log } from "./log.ts";
import type { MetricCells } from "./metrics/cells.ts";

/** Why a login to the admin API failed; a closed list, since it is a label of a metric. */
export const LOGIN_FAILURES = [
  /** Nothing was presented, or a certificate that the configuration does not know. */
  "none",
  /** Neither an admin key nor a token. */
  "malformed",
  "admin_key",
  "token",
  /** The keys of the tokens' issuer could not be had. */
  "issuer_unavailable",
  /** Not looked at: too many from the same address have failed. */
  "throttled",
] as const;

export type LoginFailure = (typeof LOGIN_FAILURES)[number];

/**
 * Makes what is told of failed logins: each is counted at once, and one line in ten seconds tells of all, with the address
 * and the detail of the last. Who presents nothing, as probes do, has no line.
 */
export function createLoginFailures(
  cells: MetricCells,
  log: Log,
): (failure: LoginFailure, address: string, detail?: string) => void {
  let untold = new Map<LoginFailure, number>();
  let last: { readonly address: string; readonly detail: string | undefined } | undefined;

  const askForLine = createGatheredLine(() => {
    log("warn", "logins to the admin API failed", {
      event: "admin_login_failed",
      ...Object.fromEntries(untold),
      ...last,
    });
    untold = new Map();
  });

  return (reason, address, detail) => {
    cells.at("keyward_admin_login_failures_total", { reason }).add();
    if (reason === "none") return;
    untold.set(reason, (untold.get(reason) ?? 0) + 1);
    last = { address, detail };
    askForLine();
  };
}
