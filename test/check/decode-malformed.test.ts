import { describe, expect, test } from "vitest";
import { createDecode } from "../../src/check/decode.ts";
import { latin1 } from "../../src/serve/latin1.ts";
import { describeRequest } from "../support/check-request.ts";
import { field, tag, varint } from "../support/wire-bytes.ts";

const decode = createDecode({ credentials: ["authorization"], identity: ["x-keyward-owner"] }, latin1);

const get = field(2, "GET");

/** A message around the fields of an HttpRequest. */
const http = (...parts: readonly number[][]) => field(1, field(4, field(2, ...parts)));
/** The same around fields beside the HttpRequest's own. */
const attributes = (...parts: readonly number[][]) => field(1, field(4, field(2, get)), ...parts);
/** The same around the fields of one entry of `header_map`. */
const entry = (...parts: readonly number[][]) => http(get, field(13, field(1, field(1, "authorization"), ...parts)));

test("the messages around the faults below are sound without them", () => {
  for (const message of [http(get), attributes(), entry()]) {
    expect(decode(Uint8Array.from(message))?.method).toBe("GET");
  }
});

describe("not a CheckRequest, or none with an HTTP request in it:", () => {
  test.each([
    ["an empty message", []],
    ["empty attributes", field(1)],
    ["no request among the attributes", field(1, field(10, field(1, "keyward.access"), field(2, "public")))],
    ["a request without http", field(1, field(4))],
    ["a request with a time only", field(1, field(4, field(1, [...tag(1, 0), ...varint(1_700_000_000)])))],
    ["fields of another message", field(2, field(4, field(2, get)))],
    ["plain text", [...Buffer.from("GET / HTTP/1.1\r\nhost: api.test\r\n\r\n")]],
    ["JSON", [...Buffer.from('{"attributes":{"request":{"http":{"method":"GET"}}}}')]],
    ["zeros", [0, 0, 0, 0]],
    ["bits", [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
  ])("%s", (_title, bytes) => {
    expect(decode(Uint8Array.from(bytes))).toBeUndefined();
  });

  test("a request cut at any byte", () => {
    const whole = describeRequest({
      headers: [["authorization", "Bearer x"]],
      extensions: { "keyward.access": "deny" },
    });
    expect(decode(whole)?.method).toBe("GET");
    const cuts = Array.from({ length: whole.length }, (_, length) => decode(whole.subarray(0, length)));
    expect(cuts.filter((request) => request !== undefined)).toEqual([]);
  });
});

test("an entry of `headers` must hold together even beside a header map, which is read instead of it", () => {
  const beside = (value: number[]) => decode(Uint8Array.from(http(get, field(13), field(3, value))));
  expect(beside(field(1, "x"))?.method).toBe("GET");
  expect(beside([0x0a, 0x02, 0x78])).toBeUndefined();
});

describe("said twice:", () => {
  test.each([
    ["the attributes", [...http(get), ...http(get)]],
    ["empty attributes after the others", [...http(get), ...field(1)]],
    ["the request", field(1, field(4, field(2, get)), field(4, field(2, get)))],
    ["the HTTP request", field(1, field(4, field(2, get), field(2, get)))],
    ["the source", attributes(field(1), field(1))],
    ["the address of the source", attributes(field(1, field(1), field(1)))],
    ["the socket of the source", attributes(field(1, field(1, field(1), field(1))))],
    ["the text of the source's address", attributes(field(1, field(1, field(1, field(2, "a"), field(2, "a")))))],
    ["the method", http(get, get)],
    ["the method, once empty", http(get, field(2))],
    ["the path", http(get, field(4, "/"), field(4, "/"))],
    ["the host", http(get, field(5, "a.test"), field(5, "a.test"))],
    ["the header map", http(get, field(13), field(13))],
    ["the name of a header", entry(field(1, "x"))],
    ["the value of a header", entry(field(2, "a"), field(2, "a"))],
    ["the raw value of a header", entry(field(3, "a"), field(3, "a"))],
    ["the value of a header, once raw", entry(field(2, "a"), field(3, "a"))],
    ["the name in a map of headers", http(get, field(3, field(1, "a"), field(1, "a")))],
    ["the value in a map of headers", http(get, field(3, field(1, "a"), field(2, "a"), field(2, "a")))],
    ["the name of an extension", attributes(field(10, field(1, "a"), field(1, "a")))],
    ["the value of an extension", attributes(field(10, field(1, "a"), field(2, "a"), field(2, "a")))],
  ])("%s", (_title, bytes) => {
    expect(decode(Uint8Array.from(bytes))).toBeUndefined();
  });
});

describe("of another wire type:", () => {
  const wrong = (number: number): [string, number[]][] => [
    ["a varint", [...tag(number, 0), 1]],
    ["eight bytes", [...tag(number, 1), 0, 0, 0, 0, 0, 0, 0, 0]],
    ["four bytes", [...tag(number, 5), 0, 0, 0, 0]],
    ["a group", [...tag(number, 3), ...tag(number, 4)]],
    ["the end of a group", tag(number, 4)],
    ["type 6", tag(number, 6)],
    ["type 7", tag(number, 7)],
  ];
  const places: [string, (part: number[]) => number[], number][] = [
    ["the attributes", (part) => part, 1],
    ["the source", (part) => attributes(part), 1],
    ["the request", (part) => field(1, part), 4],
    ["an extension", (part) => attributes(part), 10],
    ["the HTTP request", (part) => field(1, field(4, part)), 2],
    ["the method", (part) => http(part), 2],
    ["a header of the map", (part) => http(get, part), 3],
    ["the path", (part) => http(get, part), 4],
    ["the host", (part) => http(get, part), 5],
    ["the header map", (part) => http(get, part), 13],
    ["an entry of the header map", (part) => http(get, field(13, part)), 1],
    ["a value", (part) => entry(part), 2],
    ["a raw value", (part) => entry(part), 3],
    ["the name of an extension", (part) => attributes(field(10, part)), 1],
  ];
  test.each(
    places.flatMap(([place, around, number]) =>
      wrong(number).map(([type, part]) => [place, type, around(part)] as const),
    ),
  )("%s as %s", (_place, _type, bytes) => {
    expect(decode(Uint8Array.from(bytes))).toBeUndefined();
  });
});

describe("a field nobody reads that is not sound:", () => {
  test.each([
    ["a group", [...tag(20, 3), ...tag(20, 4)]],
    ["type 6", tag(20, 6)],
    ["field number 0", field(0, "x")],
    ["a tag without an end", [0x80]],
    ["a tag above 32 bits", [0xa0, 0x81, 0x80, 0x80, 0x10, 0]],
    ["a tag of six bytes", [...varint(20 * 8, 6), 0]],
    ["a varint without an end", [...tag(20, 0), 0xff]],
    ["a varint of eleven bytes", [...tag(20, 0), ...varint(1, 11)]],
    ["seven of eight bytes", [...tag(20, 1), 0, 0, 0, 0, 0, 0, 0]],
    ["three of four bytes", [...tag(20, 5), 0, 0, 0]],
    ["no length", tag(20, 2)],
    ["a length without an end", [...tag(20, 2), 0x80]],
    ["a length one past the end", [...tag(20, 2), 1]],
    ["a length of 2^31 - 1", [...tag(20, 2), ...varint(2 ** 31 - 1)]],
    ["a length of 2^31", [...tag(20, 2), ...varint(2 ** 31)]],
    ["a length of 2^32 - 1", [...tag(20, 2), ...varint(2 ** 32 - 1)]],
    ["a length of 2^32", [...tag(20, 2), ...varint(2n ** 32n)]],
    ["a length of 2^64 - 1, which is -1", [...tag(20, 2), ...varint(2n ** 64n - 1n)]],
    ["a length of six bytes", [...tag(20, 2), ...varint(0, 6)]],
  ])("%s", (_title, part) => {
    const bytes = [http(get, part), attributes(part), entry(part), [...http(get), ...part]];
    expect(bytes.map((message) => decode(Uint8Array.from(message)))).toEqual(bytes.map(() => undefined));
  });

  test("a length that reaches past its message, but not past the bytes", () => {
    const inner = [...get, ...tag(20, 2), 3];
    const bytes = [...field(1, field(4, field(2, inner))), ...field(9, "abc")];
    expect(decode(Uint8Array.from(bytes))).toBeUndefined();
    expect(decode(Uint8Array.from([...http(get, field(20, "abc")), ...field(9, "abc")]))?.method).toBe("GET");
  });
});

test("a number of five bytes that could be shorter is read as the number it is", () => {
  const bytes = [...varint(1 * 8 + 2, 5), ...varint(field(4, field(2, get)).length, 5), ...field(4, field(2, get))];
  expect(decode(Uint8Array.from(bytes))?.method).toBe("GET");
});

test("a part of a larger array is read within its bounds", () => {
  const bytes = Uint8Array.from([0xff, ...http(get), 0xff]);
  expect(decode(bytes.subarray(1, -1))?.method).toBe("GET");
  expect(decode(bytes.subarray(1))).toBeUndefined();
});
