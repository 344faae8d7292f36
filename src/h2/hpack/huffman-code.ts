/** The symbol that ends nothing and may not be sent; its first bits pad the last byte (RFC 7541 §5.2). */
export const EOS = 256;

/** How many bits the code of each symbol has, 0 to 255 and EOS (RFC 7541 appendix B). */
// biome-ignore format: a table of sixteen columns
const CODE_LENGTHS = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
  28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
  5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
  6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
  24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
  21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
  26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
];

/** A symbol and its code: the lowest `length` bits of `bits`. */
export interface Code {
  readonly symbol: number;
  readonly length: number;
  readonly bits: number;
}

/**
 * The whole code. It is canonical, so that the lengths say it all: in the order of length and then symbol, each code is
 * the one before plus one, with zeros appended where codes grow longer.
 */
export function huffmanCodes(): Code[] {
  const inOrder = CODE_LENGTHS.map((length, symbol) => ({ symbol, length }));
  inOrder.sort((a, b) => a.length - b.length || a.symbol - b.symbol);
  let next = 0;
  let lengthBefore = 0;
  return inOrder.map(({ symbol, length }) => {
    next <<= length - lengthBefore;
    lengthBefore = length;
    return { symbol, length, bits: next++ };
  });
}
