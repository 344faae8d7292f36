/** A number as a varint, of as many bytes as it needs or as are asked for. */
export function varint(value: number | bigint, minBytes = 1): number[] {
  const bytes: number[] = [];
  let rest = BigInt(value);
  while (rest > 0x7fn || bytes.length + 1 < minBytes) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  return [...bytes, Number(rest)];
}

/** What stands in front of a field of a protobuf message. */
export function tag(field: number, wireType: number): number[] {
  return varint(field * 8 + wireType);
}

/** A length-delimited field: a message, a string or bytes. Texts are written one byte a character. */
export function field(number: number, ...parts: readonly (string | readonly number[])[]): number[] {
  const content = parts.flatMap((part) => {
    return typeof part === "string" ? [...part].map((character) => character.charCodeAt(0)) : part;
  });
  return [...tag(number, 2), ...varint(content.length), ...content];
}
