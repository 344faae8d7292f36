import type { KeyState } from "../../key/state.ts";
import type { KeyFilter } from "../../store/keys.ts";

/** What a filter can narrow a list by. */
export type ParsedKeyFilter = Pick<KeyFilter, "owner" | "tenant" | "state">;

/** `field = value`, the value bare or in double quotes, and `AND` before the next (AIP-160). */
const COMPARISON = /^([A-Za-z_]+)\s*=\s*(?:"([^"\\]*)"|([A-Za-z0-9/._@+-]+))(?:$|\s+AND\s+(?=\S))/;

const STATES = ["active", "disabled", "expired", "revoked", "rotated"] as const satisfies readonly KeyState[];

/**
 * Reads the filter of ListKeys: comparisons of `owner`, `tenant` or `state` with `=`, joined by `AND`. Returns what is
 * wrong with it as a phrase that follows the field's name.
 */
export function parseKeyFilter(text: string): ParsedKeyFilter | string {
  const found: { owner?: string; tenant?: string; state?: (typeof STATES)[number] } = {};
  let rest = text.trim();
  while (rest !== "") {
    const match = COMPARISON.exec(rest);
    if (match === null)
      return `cannot be read at ${JSON.stringify(rest.slice(0, 40))}; write owner = "service/ci" AND state = ACTIVE`;
    const [whole, field = "", quoted, bare] = match;
    const value = quoted ?? bare ?? "";
    if (field !== "owner" && field !== "tenant" && field !== "state") {
      return `names "${field}"; it can compare owner, tenant and state`;
    }
    if (found[field] !== undefined) return `compares ${field} twice`;
    if (field === "state") {
      const state = STATES.find((known) => known === value.toLowerCase());
      if (state === undefined) return `compares state with "${value}"; it can be ${STATES.join(", ").toUpperCase()}`;
      found.state = state;
    } else {
      found[field] = value;
    }
    rest = rest.slice(whole.length);
  }
  return found;
}
