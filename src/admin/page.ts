import type { Caller } from "./caller.ts";
import { invalidArgument } from "./errors.ts";
import { readPageToken, writePageToken } from "./page-token.ts";

const DEFAULT_PAGE_SIZE = 50;
/** A page of the largest keys is then under 100 MB, and one of usual keys under 1 MB. */
const MAX_PAGE_SIZE = 1_000;

/** Which page of a list is asked for. */
interface PageRequest {
  readonly pageSize: number;
  readonly pageToken: string;
}

/** A list that is told a page at a time. */
interface PagedList<Item> {
  /** Under which its page tokens are written. */
  readonly tokenKey: Buffer;
  /** Tells it from every other list, and from itself with another filter. */
  readonly name: string;
  /** So many items at the most, from the one behind `after` on; from the first one where it is undefined. */
  read(after: string | undefined, limit: number): readonly Item[];
  /** How `read` is told that it is to begin behind an item. */
  placeOf(item: Item): string;
}

/** Reads the page that is asked for (AIP-158). Throws INVALID_ARGUMENT where its token is not of this list and caller. */
export function pageOf<Item>(
  { pageSize, pageToken }: PageRequest,
  caller: Pick<Caller, "tenant">,
  { tokenKey, name, read, placeOf }: PagedList<Item>,
): { readonly items: readonly Item[]; readonly nextPageToken: string } {
  const limit = Math.min(pageSize || DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE);
  const after = pageToken === "" ? undefined : (readPageToken(tokenKey, name, caller, pageToken) ?? foreignToken());
  // One more than the page: whether there is a next one.
  const found = read(after, limit + 1);
  const items = found.slice(0, limit);
  const last = found.length > limit ? items.at(-1) : undefined;
  return { items, nextPageToken: last === undefined ? "" : writePageToken(tokenKey, name, caller, placeOf(last)) };
}

function foreignToken(): never {
  const description = "is not of this list: take next_page_token of its last page";
  throw invalidArgument([{ field: "page_token", description }]);
}
