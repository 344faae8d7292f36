/** How many keys a shortened name may stand for and still be listed in the error; one more is read, to know of the rest. */
export const MAX_CANDIDATES = 10;

/** How much of a secret is kept readable, after the prefix and "_". */
const SHOWN_CHARACTERS = 8;

/** The first eight characters of the secret: what follows the prefix in a start such as "kw_4fGh12Kq". */
export function secretStartOf(start: string): string {
  return start.slice(-SHOWN_CHARACTERS);
}

/** What stands before those and the "_". */
export function prefixOf(start: string): string {
  return start.slice(0, -SHOWN_CHARACTERS - 1);
}
