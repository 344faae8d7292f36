import { createShared } from "./shared.ts";

const none: readonly string[] = [];

/** The tokens as one text. Throws where one is empty or holds a space: read back it would be other tokens. */
export function writeTokens(tokens: readonly string[]): string {
  if (tokens.some((token) => token === "" || token.includes(" "))) {
    throw new RangeError("a scope or path is never empty and holds no space");
  }
  return tokens.join(" ");
}

/** The tokens of a text that writeTokens has made. */
export function readTokens(text: string): readonly string[] {
  return text === "" ? none : tokensOf(text);
}

const tokensOf = createShared((text): readonly string[] => text.split(" "));
