import { isBase62 } from "./base62.ts";
import { BODY_LENGTH, isPrefixCharacter, MAX_SECRET_LENGTH } from "./secret.ts";
import { beginsAsOwnToken, MAX_TOKEN_LENGTH } from "./token.ts";

/** What happened to a key before it was presented: its end is missing, or something in it is another character. */
export type Flaw = "truncated" | "mistyped";

/**
 * What is wrong with a text that is no key but looks as if it had been one; undefined where it looks like anything else. A
 * guess for people: nothing is decided by it. Takes time in the length of a key, however long the text is.
 */
export function flawOf(text: string): Flaw | undefined {
  if (beginsAsOwnToken(text)) return text.length > MAX_TOKEN_LENGTH ? undefined : flawOfToken(text);
  if (text.length > MAX_SECRET_LENGTH) return undefined;
  const underscore = text.lastIndexOf("_");
  if (underscore < 1) return undefined;
  for (let index = 0; index < underscore; index++) if (!isPrefixCharacter(text.charCodeAt(index))) return undefined;
  if (text.length - underscore - 1 >= BODY_LENGTH) return "mistyped";
  for (let index = underscore + 1; index < text.length; index++) {
    if (!isBase62(text.charCodeAt(index))) return "mistyped";
  }
  return "truncated";
}

/** Three parts with dots between, of which none is empty. */
function flawOfToken(text: string): Flaw {
  const parts = text.split(".", 4);
  const isWritten = parts.every((part) => /^[\w-]*$/.test(part));
  return isWritten && parts.length <= 3 && (parts.length < 3 || parts[2] === "") ? "truncated" : "mistyped";
}
