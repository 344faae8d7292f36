/** Drops optional white space, spaces and tabs (RFC 9110 §5.6.3), from both ends. */
export function trim(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isWhiteSpace(text.charCodeAt(start))) start++;
  while (end > start && isWhiteSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** Where the first white space stands; -1 where there is none. */
export function whiteSpaceIn(text: string): number {
  for (let index = 0; index < text.length; index++) if (isWhiteSpace(text.charCodeAt(index))) return index;
  return -1;
}

function isWhiteSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
