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

/** What page tokens are bound to. */
interface TokensOfList {
  /** Under which they are written. */
  readonly tokenKey: Buffer;
  /** Tells the list from every other one, and from itself with another filter. */
  readonly name: string;
}

/** A list that is told a page at a time. */
interface PagedList<Item> extends TokensOfList {
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
  const limit = pageLimit({ pageSize });
  const after = placeBefore({ pageToken }, caller, { tokenKey, name });
  // One more than the page: whether there is a next one.
  const found = read(after, limit + 1);
  const items = found.slice(0, limit);
  const last = found.length > limit ? items.at(-1) : undefined;
  return { items, nextPageToken: last === undefined ? "" : tokenBehind(placeOf(last), caller, { tokenKey, name }) };
}

/** How many items a page has at the most. */
export function pageLimit({ pageSize }: Pick<PageRequest, "pageSize">): number {
  return Math.min(pageSize || DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE);
}

/** The place behind which a page begins; undefined where it is the first. Throws INVALID_ARGUMENT as `pageOf` does. */
export function placeBefore(
  { pageToken }: Pick<PageRequest, "pageToken">,
  caller: Pick<Caller, "tenant">,
  { tokenKey, name }: TokensOfList,
): string | undefined {
  return pageToken === "" ? undefined : (readPageToken(tokenKey, name, caller, pageToken) ?? foreignToken());
}

/** The token of the page that begins behind a place. */
export function tokenBehind(place: string, caller: Pick<Caller, "tenant">, { tokenKey, name }: TokensOfList): string {
  return writePageToken(tokenKey, name, caller, place);
}

function foreignToken(): never {
  const description = "is not of this list: take next_page_token of its last page";
  throw invalidArgument([{ field: "page_token", description }]);
}
