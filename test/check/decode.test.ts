import { describe, expect, test } from "vitest";
import type { AccessRequest, Header } from "../../src/check/access-request.ts";
import { createDecode } from "../../src/check/decode.ts";
import { latin1 } from "../../src/serve/latin1.ts";
import { describeRequest } from "../support/check-request.ts";
import { field, tag, varint } from "../support/wire-bytes.ts";

const watched = { credentials: ["authorization", "x-api-key"], identity: ["x-keyward-key-id", "x-keyward-owner"] };
const decode = createDecode(watched, latin1);

/** The bytes of a CheckRequest whose HttpRequest, and what stands beside it, are given as fields. */
function http(...parts: readonly number[][]): Uint8Array {
  return Uint8Array.from(field(1, field(4, field(2, ...parts))));
}

function attributes(...parts: readonly number[][]): Uint8Array {
  return Uint8Array.from(field(1, ...parts));
}

const header = (name: string, value: string) => field(3, field(1, name), field(2, value));
const rawHeader = (name: string, value: string) => field(1, field(1, name), field(3, value));
const headerMap = (...entries: readonly number[][]) => field(13, ...entries);

const get = field(2, "GET");
const root = field(4, "/");

/** An entry of the map `headers` with a field that is not of it, where a HeaderValue has its bytes. */
const strangeEntry = (name: string, value: string) => field(3, field(1, name), field(3, value));

function headersIn(bytes: Uint8Array): readonly Header[] | undefined {
  return decode(bytes)?.headers;
}

describe("a request as Envoy sends it", () => {
  const described = {
    method: "POST",
    path: "/v1?a=b",
    host: "API.test:443",
    headers: [
      ["authorization", "Bearer x"],
      ["accept", "*/*"],
    ],
    extensions: { "keyward.access": "deny", other: "x" },
    sourceAddress: "10.0.0.7",
  } as const;

  test.each([
    ["header_map", true],
    ["headers", false],
  ] as const)("with %s is read to the last part that deciding needs", (form, bytesKnown) => {
    const request = decode(describeRequest({ ...described, form }));
    const { method, authority, target, sourceAddress, headers, identitySpellings, extensions } = request ?? {};
    expect(request?.bytesKnown).toBe(bytesKnown);
    expect({ method, authority, target, sourceAddress, headers, identitySpellings, extensions }).toEqual({
      method: "POST",
      authority: "API.test:443",
      target: "/v1?a=b",
      sourceAddress: "10.0.0.7",
      headers: [{ name: "authorization", value: "Bearer x" }],
      identitySpellings: [],
      extensions: [{ name: "keyward.access", value: "deny" }],
    });
  });

  test.each([
    ["a pipe after it", [1, 2], undefined],
    ["an address within Envoy after it", [1, 3], undefined],
    ["a pipe before it", [2, 1], "10.0.0.7"],
  ])("whose source has %s has the address of the last", (_title, kinds, address) => {
    const kind = (number: number) => field(number, ...(number === 1 ? [field(2, "10.0.0.7")] : []));
    const source = field(1, field(1, ...kinds.map(kind)));
    expect(decode(attributes(source, field(4, field(2, get, root))))?.sourceAddress).toBe(address);
  });

  test("an entry of `headers` with something that is no value has an empty one", () => {
    const read = (entry: number[]) => headersIn(http(get, root, entry));
    expect(read(header("authorization", "Bearer x"))).toEqual([{ name: "authorization", value: "Bearer x" }]);
    expect(read(strangeEntry("authorization", "Bearer x"))).toEqual([{ name: "authorization", value: "" }]);
  });

  test.each([
    ["another method", "PUT", "a.test"],
    ["another method of the same length", "PET", "a.test"],
    ["another host", "GET", "aa.test"],
    ["another host of the same length", "GET", "b.test"],
  ])("after one with %s has its own", (_title, method, host) => {
    const read = (method: string, host: string) => {
      const request = decode(http(field(2, method), root, field(5, host)));
      return [request?.method, request?.authority];
    };
    expect(read(method, host)).toEqual([method, host]);
    expect(read("GET", "a.test")).toEqual(["GET", "a.test"]);
  });

  test("over a pipe has no source address", () => {
    const pipe = field(1, field(1, field(2, field(1, "/run/envoy.sock"))));
    const request = decode(attributes(pipe, field(4, field(2, get, root))));
    expect(request?.method).toBe("GET");
    expect(request?.sourceAddress).toBeUndefined();
  });

  test("without method, path and host has empty ones", () => {
    const { method, target, authority } = decode(http()) as AccessRequest;
    expect({ method, target, authority }).toEqual({ method: "", target: "", authority: "" });
  });
});

describe("headers", () => {
  test.each([
    ["one", [rawHeader("x-api-key", "a")], [["x-api-key", "a"]]],
    ["a name in capitals", [rawHeader("X-Api-KEY", "a")], [["x-api-key", "a"]]],
    ["a name with another separator", [rawHeader("x_api_key", "a")], []],
    ["a name one character longer", [rawHeader("x-api-keys", "a")], []],
    ["a name one character shorter", [rawHeader("x-api-ke", "a")], []],
    ["no name", [rawHeader("", "a")], []],
    [
      "one that came twice",
      [rawHeader("x-api-key", "a"), rawHeader("x-api-key", "b")],
      [
        ["x-api-key", "a"],
        ["x-api-key", "b"],
      ],
    ],
    [
      "one that came twice in different case",
      [rawHeader("x-api-key", "a"), rawHeader("X-API-KEY", "a")],
      [
        ["x-api-key", "a"],
        ["x-api-key", "a"],
      ],
    ],
    ["an empty raw value", [rawHeader("x-api-key", "")], [["x-api-key", ""]]],
    ["a value that is not raw", [field(1, field(1, "x-api-key"), field(2, "a"))], [["x-api-key", "a"]]],
    [
      "a raw value beside an empty one",
      [field(1, field(1, "x-api-key"), field(2, ""), field(3, "a"))],
      [["x-api-key", "a"]],
    ],
    ["neither kind of value", [field(1, field(1, "x-api-key"))], [["x-api-key", ""]]],
    ["a value before its name", [field(1, field(3, "a"), field(1, "x-api-key"))], [["x-api-key", "a"]]],
    ["a value of all bytes", [rawHeader("x-api-key", "\0\x7f\x80\xff")], [["x-api-key", "\0\x7f\x80\xff"]]],
    ["a value of 64 KiB", [rawHeader("x-api-key", "k".repeat(65_536))], [["x-api-key", "k".repeat(65_536)]]],
    [
      "both places, in the order in which they came",
      [rawHeader("x-api-key", "a"), rawHeader("authorization", "b")],
      [
        ["x-api-key", "a"],
        ["authorization", "b"],
      ],
    ],
  ] as const)("in header_map: %s", (_title, entries, expected) => {
    expect(headersIn(http(get, root, headerMap(...entries)))).toEqual(
      expected.map(([name, value]) => ({ name, value })),
    );
  });

  test("beside header_map do not count, on whichever side they stand", () => {
    const map = headerMap(rawHeader("x-api-key", "raw"));
    const plain = header("x-api-key", "plain");
    const counted = [{ name: "x-api-key", value: "raw" }];
    expect(headersIn(http(plain, map))).toEqual(counted);
    expect(headersIn(http(map, plain))).toEqual(counted);
    expect(headersIn(http(plain, headerMap()))).toEqual([]);
    expect(headersIn(http(plain))).toEqual([{ name: "x-api-key", value: "plain" }]);
  });

  test("that came twice in the map of headers are seen twice", () => {
    expect(headersIn(http(header("x-api-key", "a"), header("x-api-key", "a")))).toHaveLength(2);
  });

  test.each([["x-keyward-owner"], ["X-Keyward-Owner"], ["x_keyward_owner"], ["X_Keyward.OWNER"], ["x.keyward-owner"]])(
    "that spell an identity header as %s are seen as spelt, in lower case",
    (name) => {
      const expected = [name.toLowerCase()];
      expect(decode(http(headerMap(rawHeader(name, "me"))))?.identitySpellings).toEqual(expected);
      expect(decode(http(header(name, "me"), header(name, "me")))?.identitySpellings).toEqual(expected);
    },
  );

  test.each([["x-keyward-owne"], ["x-keyward-owner2"], ["x~keyward~owner"], ["x-keyward-0wner"], ["xkeywardowner"]])(
    "named %s spell no identity header",
    (name) => {
      expect(decode(http(headerMap(rawHeader(name, "me"))))?.identitySpellings).toEqual([]);
    },
  );
});

describe("pseudo-headers", () => {
  test.each([
    ["path that agrees", [root, headerMap(rawHeader(":path", "/"))], { target: "/" }],
    ["path that differs", [root, headerMap(rawHeader(":path", "/a"))], { target: undefined }],
    ["path that is longer by a query", [root, headerMap(rawHeader(":path", "/?"))], { target: undefined }],
    ["path that is empty", [root, headerMap(rawHeader(":path", ""))], { target: undefined }],
    ["path where the field is not there", [headerMap(rawHeader(":path", "/"))], { target: undefined }],
    ["path that stands before the field", [headerMap(rawHeader(":path", "/")), root], { target: "/" }],
    ["path that differs in headers", [root, header(":path", "/a")], { target: undefined }],
    ["path that differs in headers, beside header_map", [root, header(":path", "/a"), headerMap()], { target: "/" }],
    [
      "authority that agrees",
      [field(5, "a.test"), headerMap(rawHeader(":authority", "a.test"))],
      { authority: "a.test" },
    ],
    [
      "authority that differs",
      [field(5, "a.test"), headerMap(rawHeader(":authority", "b.test"))],
      { authority: undefined },
    ],
    [
      "authority in another case",
      [field(5, "a.test"), headerMap(rawHeader(":authority", "A.test"))],
      { authority: undefined },
    ],
  ] as const)("of a %s are judged", (_title, parts, expected) => {
    expect(decode(http(get, ...parts))).toMatchObject({ method: "GET", ...expected });
  });

  test("of a method that differs make no request", () => {
    expect(decode(http(get, headerMap(rawHeader(":method", "GET"))))?.method).toBe("GET");
    expect(decode(http(get, headerMap(rawHeader(":method", "PUT"))))).toBeUndefined();
  });

  test.each([":method", ":path", ":authority"])("named %s may come once", (name) => {
    const value = name === ":method" ? "GET" : "/";
    const parts = [get, root, field(5, "/")];
    expect(decode(http(...parts, headerMap(rawHeader(name, value))))?.method).toBe("GET");
    expect(decode(http(...parts, headerMap(rawHeader(name, value), rawHeader(name, value))))).toBeUndefined();
  });
});

describe("extensions", () => {
  test.each([
    ["of ours", [["keyward.access", "deny"]], [["keyward.access", "deny"]]],
    ["of ours with an unknown name", [["keyward.", ""]], [["keyward.", ""]]],
    ["of ours in another case, to be refused later", [["Keyward.access", "x"]], [["Keyward.access", "x"]]],
    [
      "of another's",
      [
        ["keyward", "x"],
        ["xkeyward.access", "x"],
      ],
      [],
    ],
    [
      "that stand twice",
      [
        ["keyward.a", "1"],
        ["keyward.a", "1"],
      ],
      [
        ["keyward.a", "1"],
        ["keyward.a", "1"],
      ],
    ],
  ] as const)("%s", (_title, entries, expected) => {
    const fields = entries.map(([name, value]) => field(10, field(1, name), field(2, value)));
    const request = decode(attributes(...fields, field(4, field(2, get))));
    expect(request?.extensions).toEqual(expected.map(([name, value]) => ({ name, value })));
  });

  test("are read wherever they stand", () => {
    const entry = field(10, field(2, "deny"), field(1, "keyward.access"));
    expect(decode(attributes(field(4, field(2, get)), entry))?.extensions).toEqual([
      { name: "keyward.access", value: "deny" },
    ]);
  });
});

describe("fields that nobody reads", () => {
  test.each([
    ["a varint", [...tag(20, 0), ...varint(2n ** 64n - 1n)]],
    ["eight bytes", [...tag(20, 1), 1, 2, 3, 4, 5, 6, 7, 8]],
    ["four bytes", [...tag(20, 5), 1, 2, 3, 4]],
    ["a message", field(20, "anything at all \xff")],
    ["a field number of five bytes", [...tag(2 ** 29 - 1, 0), 0]],
    ["a field of number 32, which is not field 0", field(32, "x")],
    ["a field of number 34, which is not the method", field(34, "PUT")],
    ["twice", [...field(20, "a"), ...field(20, "b")]],
  ])("are passed over at every depth: %s", (_title, unknown) => {
    const value = rawHeader("x-api-key", "a");
    const entry = field(1, field(1, "authorization"), unknown, field(3, "b"));
    const message = [
      ...field(
        1,
        unknown,
        field(4, unknown, field(2, unknown, get, headerMap(unknown, value, entry), unknown), unknown),
      ),
      ...unknown,
    ];
    expect(decode(Uint8Array.from(message))).toMatchObject({
      method: "GET",
      headers: [
        { name: "x-api-key", value: "a" },
        { name: "authorization", value: "b" },
      ],
    });
  });

  test("may be 2 MB long", () => {
    const described = { path: "/v1", headers: [["x-other", "b".repeat(2_000_000)]] } as const;
    expect(decode(describeRequest(described))?.target).toBe("/v1");
    expect(decode(describeRequest(described).subarray(0, -1))).toBeUndefined();
  });
});
