/** Drops optional white space, spaces and tabs (RFC 9110 §5.6.3), from both ends. */
export function trim(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isWhiteSpace(text.charCodeAt(start))) start++;
  while (end > start && isWhiteSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** Spaces and tabs. */
export function isWhiteSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
