import { create, type DescMessage, fromBinary, ScalarType, toBinary } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type AccessRequest, createDecode } from "../../src/check/decode.ts";
import type { AttributeContext_HttpRequest } from "../../src/gen/envoy/service/auth/v3/attribute_context_pb.ts";
import { type CheckRequest, CheckRequestSchema } from "../../src/gen/envoy/service/auth/v3/external_auth_pb.ts";

const watched = { credentials: ["authorization", "x-api-key"], identity: ["x-keyward-owner"] };
const decode = createDecode(watched);

/** Few different names and texts, so that what must agree often does. */
const name = fc.constantFrom(
  "authorization",
  "x-api-key",
  "X-Api-Key",
  "x-keyward-owner",
  ":path",
  ":method",
  "accept",
);
const text = fc.oneof(
  fc.constantFrom("/", "GET", "", "a.test", "Bearer x"),
  fc.string({ unit: "grapheme", maxLength: 9 }),
);
const bytes = fc.oneof(text.map(utf8), fc.uint8Array({ maxLength: 9 }));
const headerValue = fc.oneof(fc.record({ key: name, value: text }), fc.record({ key: name, rawValue: bytes }));
const http = fc.record(
  {
    id: text,
    method: fc.constantFrom("GET", "POST", ""),
    path: fc.oneof(fc.constant("/"), text),
    host: text,
    headers: fc.dictionary(name, text, { maxKeys: 3 }),
    headerMap: fc.record({ headers: fc.array(headerValue, { maxLength: 3 }) }),
    size: fc.bigInt(-1n, 2n ** 62n),
    protocol: text,
  },
  { requiredKeys: [] },
);
const source = fc.record({ address: fc.constant(socketAddress("10.0.0.7")), principal: text }, { requiredKeys: [] });
const request = fc
  .record({
    source: fc.option(source, { nil: undefined }),
    http,
    time: fc.option(fc.record({ seconds: fc.bigInt(0n, 2n ** 40n) }), { nil: undefined }),
    contextExtensions: fc.dictionary(fc.constantFrom("keyward.access", "other"), text),
  })
  .map(({ http, time, contextExtensions, source }) => {
    const attributes = { contextExtensions, request: { http, ...(time && { time }) }, ...(source && { source }) };
    return toBinary(CheckRequestSchema, create(CheckRequestSchema, { attributes }));
  });

/** What befalls the bytes on their way: each takes a place, from 0 to 1, and a byte. */
const mutations: Record<string, (bytes: number[], at: number, byte: number) => void> = {
  replace: (bytes, at, byte) => bytes.splice(at, 1, byte),
  flip: (bytes, at, byte) => bytes.splice(at, 1, (bytes[at] ?? 0) ^ (1 << (byte & 7))),
  insert: (bytes, at, byte) => bytes.splice(at, 0, byte),
  remove: (bytes, at) => bytes.splice(at, 1),
  cut: (bytes, at) => bytes.splice(at),
  repeat: (bytes, at, byte) => bytes.splice(at, 0, ...bytes.slice(at, at + (byte & 31))),
};
const mutation = fc.record({
  kind: fc.constantFrom(...Object.keys(mutations)),
  place: fc.double({ min: 0, max: 1, noNaN: true }),
  byte: fc.nat(255),
});
const mutated = fc.tuple(request, fc.array(mutation, { maxLength: 3 })).map(([whole, faults]) => {
  const bytes = [...whole];
  for (const { kind, place, byte } of faults) mutations[kind]?.(bytes, Math.floor(place * bytes.length), byte);
  return Uint8Array.from(bytes);
});

test("whatever befalls the bytes of a request, they are read as protobuf reads them, or refused", () => {
  const compared = fc.property(mutated, (bytes) => {
    const ours = decode(bytes);
    const theirs = ours && readStrictly(bytes);
    // Only what both of them read counts as a run: about one in two.
    fc.pre(ours !== undefined && theirs !== undefined);
    const doubled = repeatedNames(ours);
    expect(describeOurs(ours, doubled)).toEqual(describeTheirs(theirs, doubled));
  });
  fc.assert(compared, { numRuns: 10_000 });
});

interface Told {
  method: string;
  path: string | undefined;
  host: string | undefined;
  bytesKnown: boolean;
  extension: string | undefined;
  headers: readonly (readonly [name: string, value: string])[];
}

/** A name that stands twice in the map `headers`: protobuf keeps one of them, and we see both, to refuse them later. */
function repeatedNames({ bytesKnown, headers }: AccessRequest): readonly string[] {
  const names = bytesKnown ? [] : headers.map(({ name }) => name);
  return names.filter((name, index) => names.indexOf(name) !== index);
}

function describeOurs(request: AccessRequest, doubled: readonly string[]): Told {
  const { method, target, authority, bytesKnown, headers, extensions } = request;
  const access = extensions.findLast(({ name }) => name === "keyward.access");
  return {
    method: fromUtf8(method),
    path: target === undefined ? undefined : fromUtf8(target),
    host: authority === undefined ? undefined : fromUtf8(authority),
    bytesKnown,
    extension: access && fromUtf8(access.value),
    headers: headers.filter(({ name }) => !doubled.includes(name)).map(({ name, value }) => [name, value]),
  };
}

function describeTheirs({ attributes }: CheckRequest, doubled: readonly string[]): Told | undefined {
  const http = attributes?.request?.http;
  if (http === undefined) return undefined;
  const headers = headersOf(http).map(([name, value]) => [name.toLowerCase(), String.fromCharCode(...value)] as const);
  const pseudo = new Map(headers);
  const agreed = (text: string, name: string) => {
    const sent = String.fromCharCode(...utf8(text));
    return (pseudo.get(name) ?? sent) === sent ? text : undefined;
  };
  return {
    method: http.method,
    path: agreed(http.path, ":path"),
    host: agreed(http.host, ":authority"),
    bytesKnown: http.headerMap !== undefined && pseudo.has(":path"),
    extension: attributes?.contextExtensions["keyward.access"],
    headers: headers.filter(([name]) => watched.credentials.includes(name) && !doubled.includes(name)),
  };
}

function headersOf({ headers, headerMap }: AttributeContext_HttpRequest): (readonly [string, Uint8Array])[] {
  if (headerMap === undefined) return Object.entries(headers).map(([name, value]) => [name, utf8(value)]);
  return headerMap.headers.map(({ key, value, rawValue }) => [key, rawValue.length > 0 ? rawValue : utf8(value)]);
}

/** A CheckRequest, or undefined where the bytes are none. protobuf-es alone does not look at wire types and bounds. */
function readStrictly(bytes: Uint8Array): CheckRequest | undefined {
  try {
    assertSound(CheckRequestSchema, bytes);
    return fromBinary(CheckRequestSchema, bytes);
  } catch {
    return undefined;
  }
}

/** Throws where a known field is of another wire type than its own, or a message reaches past the one around it. */
function assertSound(message: DescMessage, bytes: Uint8Array): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    const field = message.fields.find((known) => known.number === number);
    const content = reader.skip(wireType, number);
    if (field === undefined) continue;
    if (field.scalar === ScalarType.DOUBLE) throw new Error("no request here holds one");
    const isVarint = field.enum !== undefined || (field.scalar !== undefined && VARINTS.has(field.scalar));
    if (wireType !== (isVarint ? WireType.Varint : WireType.LengthDelimited)) throw new Error("another wire type");
    if (field.message !== undefined && field.fieldKind !== "map") {
      assertSound(field.message, new BinaryReader(content).bytes());
    }
  }
}

const VARINTS: ReadonlySet<ScalarType> = new Set([
  ScalarType.INT64,
  ScalarType.INT32,
  ScalarType.UINT32,
  ScalarType.BOOL,
]);

function socketAddress(address: string) {
  return { address: { case: "socketAddress", value: { address } } } as const;
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function fromUtf8(text: string): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(
    Uint8Array.from(text, (character) => character.charCodeAt(0)),
  );
}
