/**
 * The bytes between two positions, one character (U+0000 to U+00FF) a byte: nothing is decoded, so nothing is lost. Left to
 * the caller, whose runtime does it in one step.
 */
export type Latin1 = (bytes: Uint8Array, start: number, end: number) => string;

/** As `latin1`, and fastest where it is the same text as the last time: methods and hosts are few. */
export function createRepeated(latin1: Latin1): Latin1 {
  let last = "";
  return (bytes, start, end) => {
    if (!isSame(last, bytes, start, end)) last = latin1(bytes, start, end);
    return last;
  };
}

function isSame(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) !== bytes[start + index]) return false;
  }
  return true;
}
