import { describe, expect, test } from "vitest";
import type { Field } from "../../../src/h2/field.ts";
import { HpackDecoder } from "../../../src/h2/hpack/decoder.ts";
import { APPENDIX_C } from "./appendix-c.ts";

/** Decodes blocks one after the other, and returns the fields of each. */
function createDecode(): (hex: string) => [string, string][] {
  const decoder = new HpackDecoder();
  return (hex) => {
    const bytes = Buffer.from(hex, "hex");
    const fields: [string, string][] = [];
    decoder.decode(bytes, 0, bytes.length, { add: ({ name, value }: Field) => fields.push([name, value]) });
    return fields;
  };
}

/** The index of the dynamic table's entries (RFC 7541 §2.3.3), the newest first, as blocks of one field. */
const indexed = (age: number) => (0x80 | (62 + age)).toString(16);

describe.each(APPENDIX_C)("RFC 7541 %s", (_, blocks) => {
  test("is decoded, and leaves the table that it should", () => {
    const decode = createDecode();
    for (const { block, fields, table } of blocks) {
      expect(decode(block)).toEqual(fields);
      expect(table.flatMap((_entry, age) => decode(indexed(age)))).toEqual(table);
      expect(() => decode(indexed(table.length))).toThrow("an index that is in no table");
    }
  });
});

describe("a block", () => {
  test.each<[title: string, hex: string, fields: [string, string][]]>([
    ["of nothing is no field", "", []],
    ["with a new size of the table, C.1.1's 10, is no field", "2a", []],
    ["with a new size of the table, C.1.2's 1337, is no field", "3f9a0a", []],
    ["with two new sizes and a field", "203fe11f82", [[":method", "GET"]]],
    ["with the size of the table that was offered, and no more", "3fe11f", []],
    ["with the last entry of the static table", "bd", [["www-authenticate", ""]]],
    ["with an empty value", "0f0100", [["accept-encoding", ""]]],
    ["with an integer of five bytes, most of them zeros", "0f8180800000", [["accept-encoding", ""]]],
  ])("%s", (_, hex, fields) => {
    expect(createDecode()(hex)).toEqual(fields);
  });

  test.each([
    ["index 0", "80", "an index that is in no table"],
    ["an index beyond the static table, while the other is empty", "be", "an index that is in no table"],
    ["the name of an index that is in no table", "7f0000", "an index that is in no table"],
    ["a size of the table one larger than was offered", "3fe21f", "a table larger than was offered"],
    ["a size of the table behind a field", "8220", "a change of the table's size behind a field"],
    ["an integer that is cut off", "ff", "an integer that is cut off"],
    ["an integer of ten bytes", "ffffffffffffffffff01", "an integer of more than five bytes"],
    ["an integer of six bytes that is small", "ff8080808000", "an integer of more than five bytes"],
    ["a name without a value", "400161", "a field that is cut off"],
    ["a string that is cut off", "40016102", "a string that is cut off"],
    ["a string longer than any block", "400161ff7fffffff", "a string that is cut off"],
    ["eight bits of padding", "400161821fff", "a string that is not in the Huffman code"],
    ["padding of zeros", "4001618118", "a string that is not in the Huffman code"],
    ["EOS inside", "40016184ffffffff", "a string that is not in the Huffman code"],
  ])("with %s is an error of the connection", (_, hex, why) => {
    const decode = createDecode();
    expect(() => decode(hex)).toThrow(
      expect.objectContaining({ reason: "compression", message: `a header block with ${why}` }),
    );
  });
});

describe("an entry larger than the table", () => {
  test("is a field all the same, and empties the table", () => {
    const decode = createDecode();
    // A table of 64 bytes, and in it a: b, which counts for 34.
    expect(decode("3f214001610162")).toEqual([["a", "b"]]);
    expect(decode("be")).toEqual([["a", "b"]]);
    const long = "c".repeat(40);
    expect(decode(`40016128${Buffer.from(long).toString("hex")}`)).toEqual([["a", long]]);
    expect(() => decode("be")).toThrow("an index that is in no table");
  });

  test("may take its name from the entry that it evicts", () => {
    const decode = createDecode();
    decode("3f214001610162");
    const value = "d".repeat(20);
    expect(decode(`7e14${Buffer.from(value).toString("hex")}`)).toEqual([["a", value]]);
    expect(decode("be")).toEqual([["a", value]]);
    expect(() => decode("bf")).toThrow("an index that is in no table");
  });
});
