import { isBase62 } from "./base62.ts";

/** What owners are, by what stands before the slash. */
const KINDS = ["user", "service", "project"] as const;

/** Long enough for an e-mail address of the usual lengths. */
const MAX_NAME_LENGTH = 128;

/** What `isOwner` asks for, in words that follow "must be". */
export const OWNER_FORM = `"user/…", "service/…" or "project/…", then 1 to ${MAX_NAME_LENGTH} of A-Z, a-z, 0-9 and . _ @ + -`;

/** Whether a text can be an owner. */
export function isOwner(text: string): boolean {
  const slash = text.indexOf("/");
  if (slash === -1 || !KINDS.some((kind) => kind.length === slash && text.startsWith(kind))) return false;
  const length = text.length - slash - 1;
  if (length < 1 || length > MAX_NAME_LENGTH) return false;
  for (let index = slash + 1; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (!isBase62(code) && !OTHERS.has(code)) return false;
  }
  return true;
}

/** Beside letters and digits: `. _ @ + -`. */
const OTHERS: ReadonlySet<number> = new Set([0x2e, 0x5f, 0x40, 0x2b, 0x2d]);
