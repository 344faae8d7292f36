/**
 * The bytes between two positions, one character (U+0000 to U+00FF) a byte: nothing is decoded, so nothing is lost. Left to
 * the caller, whose runtime does it in one step.
 */
export type Latin1 = (bytes: Uint8Array, start: number, end: number) => string;
