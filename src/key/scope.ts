/** Longer ones would make the identity header of a key with many scopes outgrow what proxies accept. */
const MAX_SCOPE_LENGTH = 128;

/**
 * Whether a text can be a scope: 1 to 128 characters of RFC 6749 §3.3 (visible ASCII without `"` and `\`), without `,`
 * because command lines separate by it, and with `*` only as the whole last of the segments that `:` separates.
 */
export function isScope(text: string): boolean {
  if (text.length < 1 || text.length > MAX_SCOPE_LENGTH) return false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x21 || code > 0x7e || code === 0x22 || code === 0x5c || code === 0x2c) return false;
    if (code === 0x2a && !isWholeLastSegment(text, index)) return false;
  }
  return true;
}

/** Whether a scope grants every scope below it: `orders:*`, or `*` for all. */
export function isWildcard(scope: string): boolean {
  return scope.endsWith("*");
}

/**
 * Whether a scope is among those that are defined, or as a wildcard covers one of them; where none is defined, every one
 * is. `*` covers what will be defined one day, too.
 */
export function isAmong(scope: string, defined: readonly string[]): boolean {
  if (defined.length === 0 || scope === "*") return true;
  return isWildcard(scope) ? defined.some((one) => covers(scope, one)) : defined.includes(scope);
}

function isWholeLastSegment(text: string, index: number): boolean {
  return index === text.length - 1 && (index === 0 || text.charCodeAt(index - 1) === 0x3a);
}

/**
 * Whether one granted scope covers one that is asked for: the same token, or a wildcard whose part before the `*` begins
 * it. `orders:*` covers `orders:read` and `orders:read:all`, but neither `orders` nor `orders:`.
 */
export function covers(granted: string, required: string): boolean {
  if (granted === required) return true;
  if (!isWildcard(granted)) return false;
  const stem = granted.length - 1;
  return required.length > stem && required.startsWith(granted.slice(0, stem));
}
