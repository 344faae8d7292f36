import { parseDuration } from "../../config/duration.ts";
import type { KeyState } from "../../key/state.ts";
import type { KeyFilter } from "../../store/keys.ts";

/** What a filter can narrow a list by. */
export type ParsedKeyFilter = Pick<KeyFilter, "owner" | "tenant" | "state" | "unusedForMs">;

/** `field = value`, the value bare or in double quotes, and `AND` before the next (AIP-160). */
const COMPARISON = /^([A-Za-z_]+)\s*=\s*(?:"([^"\\]*)"|([A-Za-z0-9/._@+-]+))(?:$|\s+AND\s+(?=\S))/;

const STATES = ["active", "disabled", "expired", "revoked", "rotated"] as const satisfies readonly KeyState[];

/**
 * Reads the filter of ListKeys: comparisons of `owner`, `tenant`, `state` or `unused_for` with `=`, joined by `AND`. Returns what is
 * wrong with it as a phrase that follows the field's name.
 */
export function parseKeyFilter(text: string): ParsedKeyFilter | string {
  const found: { owner?: string; tenant?: string; state?: (typeof STATES)[number]; unusedForMs?: number } = {};
  const compared = new Set<string>();
  let rest = text.trim();
  while (rest !== "") {
    const match = COMPARISON.exec(rest);
    if (match === null)
      return `cannot be read at ${JSON.stringify(rest.slice(0, 40))}; write owner = "service/ci" AND state = ACTIVE`;
    const [whole, field = "", quoted, bare] = match;
    const value = quoted ?? bare ?? "";
    if (compared.has(field)) return `compares ${field} twice`;
    compared.add(field);
    if (field === "owner" || field === "tenant") {
      found[field] = value;
    } else if (field === "state") {
      const state = STATES.find((known) => known === value.toLowerCase());
      if (state === undefined) return `compares state with "${value}"; it can be ${STATES.join(", ").toUpperCase()}`;
      found.state = state;
    } else if (field === "unused_for") {
      const ms = parseDuration(value);
      if (ms === undefined) return `compares unused_for with "${value}"; it can be a time such as 90d, 12h or 600s`;
      found.unusedForMs = ms;
    } else {
      return `names "${field}"; it can compare owner, tenant, state and unused_for`;
    }
    rest = rest.slice(whole.length);
  }
  return found;
}
