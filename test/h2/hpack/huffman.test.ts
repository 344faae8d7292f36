import { expect, test } from "vitest";
import { decodeHuffman, maxDecodedLength } from "../../../src/h2/hpack/huffman.ts";
import { EOS, huffmanCodes } from "../../../src/h2/hpack/huffman-code.ts";

const codes = new Map(
  huffmanCodes().map(({ symbol, length, bits }) => [symbol, bits.toString(2).padStart(length, "0")]),
);

/** Encodes bit by bit, and fills up the last byte with ones or what is asked for. */
function encode(symbols: readonly number[], padding = "1111111"): Buffer {
  let bits = symbols.map((symbol) => codes.get(symbol)).join("");
  bits += padding.slice(0, (8 - (bits.length % 8)) % 8);
  return Buffer.from(bits.match(/.{8}/g)?.map((byte) => Number.parseInt(byte, 2)) ?? []);
}

function decode(bytes: Buffer): Buffer | undefined {
  const target = Buffer.alloc(maxDecodedLength(bytes.length));
  const length = decodeHuffman(bytes, 0, bytes.length, target);
  return length < 0 ? undefined : target.subarray(0, length);
}

// From RFC 7541 appendix B: the code is made from its lengths, and these come from its beginning, middle and end.
test.each([
  ["0", 48, "00000"],
  ["1", 49, "00001"],
  ["a", 97, "00011"],
  ["t", 116, "01001"],
  ["space", 32, "010100"],
  ["!", 33, "1111111000"],
  ["X", 88, "11111100"],
  ["~", 126, "1111111111101"],
  ["NUL", 0, "1111111111000"],
  ["byte 128", 128, "11111111111111100110"],
  ["byte 249", 249, "1111111111111111111111111110"],
  ["byte 255", 255, "11111111111111111111101110"],
  ["LF", 10, "111111111111111111111111111100"],
  ["EOS", EOS, "111111111111111111111111111111"],
])("the code of %s is that of the standard", (_, symbol, bits) => {
  expect(codes.get(symbol)).toBe(bits);
});

test("each byte is decoded, alone and between others", () => {
  for (let symbol = 0; symbol < 256; symbol++) {
    expect(decode(encode([symbol]))).toEqual(Buffer.of(symbol));
    expect(decode(encode([symbol, 48, symbol, symbol]))).toEqual(Buffer.of(symbol, 48, symbol, symbol));
  }
});

test("texts of the shortest code fill the room that is asked for", () => {
  expect(decode(encode(new Array(8).fill(48)))).toEqual(Buffer.alloc(8, 48));
  expect(maxDecodedLength(5)).toBe(8);
});

test.each([
  ["nothing", Buffer.alloc(0), Buffer.alloc(0)],
  ["seven bits of padding", encode([48, 48, 48, 48, 48], "1111111"), Buffer.alloc(5, 48)],
  ["eight bits of padding", Buffer.concat([encode([48, 48, 48, 48, 48, 48, 48, 48]), Buffer.of(0xff)]), undefined],
  ["a byte of ones alone", Buffer.of(0xff), undefined],
  ["padding of zeros", encode([97], "000"), undefined],
  ["padding of ones but for the last", encode([97], "110"), undefined],
  ["EOS", encode([EOS]), undefined],
  ["EOS between others", encode([97, EOS, 97]), undefined],
])("%s is decoded to what it is, or refused", (_, bytes, decoded) => {
  expect(decode(bytes)).toEqual(decoded);
});
