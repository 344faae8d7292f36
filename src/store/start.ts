/** How many keys a shortened name may stand for and still be listed in the error; one more is read, to know of the rest. */
export const MAX_CANDIDATES = 10;

/** The first eight characters of the secret: what follows the prefix in a start such as "kw_4fGh12Kq". */
export function secretStartOf(start: string): string {
  return start.slice(start.lastIndexOf("_") + 1);
}
