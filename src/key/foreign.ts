/** Longer than the keys of any system we know of, and short enough that hashing one costs nothing. */
const MAX_FOREIGN_LENGTH = 512;

/** What `isForeignSecret` asks for, in words that follow "must be". */
export const FOREIGN_FORM = `1 to ${MAX_FOREIGN_LENGTH} visible ASCII characters without ","`;

const COMMA = 0x2c;

/**
 * Whether a text can be a key that was made elsewhere: 1 to 512 visible ASCII characters without the comma, at which Envoy
 * joins repeated headers. Nothing else is known of its form. Takes time in the length of a key, however long the text is.
 */
export function isForeignSecret(text: string): boolean {
  if (text === "" || text.length > MAX_FOREIGN_LENGTH) return false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x21 || code > 0x7e || code === COMMA) return false;
  }
  return true;
}
