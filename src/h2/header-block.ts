/** Names that stand in HPACK's static table, with their index (RFC 7541 appendix A). */
const STATIC_NAMES = new Map([
  [":status", 8],
  ["allow", 22],
  ["content-length", 28],
  ["content-type", 31],
]);
/** RFC 7541 appendix A, index 8. */
const STATUS_200 = 0x80 | 8;

/**
 * Writes a header block. Every field is a literal that is not remembered (RFC 7541 §6.2.2): the block is the same on
 * every connection and at any time, so that it can be made ahead, and no setting of the peer's table matters.
 */
export function headerBlock(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  return Buffer.concat(fields.map(([name, value]) => encodeField(name, value)));
}

function encodeField(name: string, value: string): Buffer {
  if (name === ":status" && value === "200") return Buffer.of(STATUS_200);
  const index = STATIC_NAMES.get(name);
  const nameBytes = index === undefined ? [integer(0, 0x0f), string(name)] : [integer(index, 0x0f)];
  return Buffer.concat([...nameBytes, string(value)]);
}

/** RFC 7541 §5.2, without Huffman code. */
function string(text: string): Buffer {
  return Buffer.concat([integer(text.length, 0x7f), Buffer.from(text, "latin1")]);
}

/** RFC 7541 §5.1; the bits before the prefix are zeros. */
function integer(value: number, mask: number): Buffer {
  if (value < mask) return Buffer.of(value);
  const bytes = [mask];
  let rest = value - mask;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}
