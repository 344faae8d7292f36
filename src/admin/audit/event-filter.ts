import type { EventFilter } from "../../store/audit-trail.ts";

/** `field = value` or `at >= value`, the value bare or in double quotes, and `AND` before the next (AIP-160). */
const COMPARISON = /^([A-Za-z_]+)\s*(=|>=|<)\s*(?:"([^"\\]*)"|([A-Za-z0-9/._@+:*-]+))(?:$|\s+AND\s+(?=\S))/;

/** RFC 3339 §5.6. A time without its offset would mean different things on different machines. */
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i;

const TEXTS = ["action", "actor", "target", "tenant"] as const;

/**
 * Reads the filter of ListEvents and WatchEvents: comparisons of `action`, `actor`, `target` or `tenant` with `=`, and of
 * `at` with `>=` and `<`, joined by `AND`. Returns what is wrong with it as a phrase that follows the field's name.
 */
export function parseEventFilter(text: string): EventFilter | string {
  const found: { -readonly [Field in keyof EventFilter]: EventFilter[Field] } = {};
  let rest = text.trim();
  while (rest !== "") {
    const match = COMPARISON.exec(rest);
    if (match === null) {
      const example = 'action = "keys.revoke" AND at >= "2026-01-01T00:00:00Z"';
      return `cannot be read at ${JSON.stringify(rest.slice(0, 40))}; write ${example}`;
    }
    const [whole, field = "", operator = "", quoted, bare] = match;
    const value = quoted ?? bare ?? "";
    const problem = field === "at" ? compareTime(operator, value) : compareText(field, operator, value);
    if (problem !== undefined) return problem;
    rest = rest.slice(whole.length);
  }
  return found;

  function compareText(field: string, operator: string, value: string): string | undefined {
    const known = TEXTS.find((name) => name === field);
    if (known === undefined) return `names "${field}"; it can compare ${TEXTS.join(", ")} and at`;
    if (operator !== "=") return `compares ${field} with ${operator}; it can be compared with =`;
    if (found[known] !== undefined) return `compares ${field} twice`;
    found[known] = value;
    return undefined;
  }

  function compareTime(operator: string, value: string): string | undefined {
    if (operator === "=") return "compares at with =; it can be compared with >= and <";
    const ms = RFC_3339.test(value) ? Date.parse(value) : Number.NaN;
    if (Number.isNaN(ms)) return `compares at with "${value}"; write a time such as "2026-12-31T23:59:59Z"`;
    const end = operator === "<" ? "untilMs" : "sinceMs";
    if (found[end] !== undefined) return `compares at with ${operator} twice`;
    found[end] = ms;
    return undefined;
  }
}
