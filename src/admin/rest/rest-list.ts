import { type FieldViolation, invalidArgument } from "../errors.ts";

/** Which page of a list is asked for, as ListKeys takes it. */
export interface RestPage {
  readonly pageSize: number;
  readonly pageToken: string;
}

/** Clients of the façade do not turn pages as a rule, so one is as large as ListKeys has it. */
const MAX_PAGE_SIZE = 1_000;

/**
 * Reads the query of a list: `page_size`, 1 to 1,000 and 1,000 where it is left out, and `page_token`. Throws
 * INVALID_ARGUMENT for anything else: a token that is mistyped would begin again with the first page, for ever.
 */
export function readListQuery(query: string): RestPage {
  const given = new URLSearchParams(query);
  const violations: FieldViolation[] = [];
  for (const name of new Set(given.keys())) {
    if (name !== "page_size" && name !== "page_token") {
      violations.push({ field: "the query", description: "can hold page_size and page_token, and nothing else" });
    } else if (given.getAll(name).length > 1) {
      violations.push({ field: name, description: "stands there more than once" });
    }
  }
  const pageSize = Number(given.get("page_size") ?? MAX_PAGE_SIZE);
  if (!/^\d{1,6}$/.test(given.get("page_size") ?? "1") || pageSize < 1 || pageSize > MAX_PAGE_SIZE) {
    violations.push({ field: "page_size", description: `must be >= 1 and <= ${MAX_PAGE_SIZE}` });
  }
  if (violations.length > 0) throw invalidArgument(violations);
  return { pageSize, pageToken: given.get("page_token") ?? "" };
}
