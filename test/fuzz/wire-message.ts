import fc from "fast-check";
import { varint } from "../support/wire-bytes.ts";

/** A field as it stands on the wire, and what is wrong with how it is written. */
interface Field {
  number: number;
  /** 0 varint, 1 fixed64, 2 length-delimited, 3 and 4 begin and end a group, 5 fixed32. */
  type: number;
  /** Fields of a message, or bytes, one a character. A number is written as the wire type asks. */
  content: Field[] | string;
  /** So many bytes does the varint of the tag, or of the length, take at least. */
  tagBytes: number;
  lengthBytes: number;
  /** How far the length that is told is from the true one. */
  lie: number;
}

/** A request in words, from which the wire is written. */
export interface Worded {
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly form: "header_map" | "headers" | "both" | "both, the map first";
  readonly extensions: readonly (readonly [name: string, value: string])[];
  readonly address: string | undefined;
}

/** What befalls the message. `at` says to which field, from 0 to 1. */
const CHANGES = {
  repeat: (list, index) => list.splice(index, 0, structuredClone(list[index] ?? NOTHING)),
  "repeat at the end": (list, index) => list.push(structuredClone(list[index] ?? NOTHING)),
  remove: (list, index) => list.splice(index, 1),
  "swap with the next": (list, index) => list.splice(index, 2, ...list.slice(index, index + 2).reverse()),
  "split in two that merge": (list, index, number) => {
    const field = list[index] ?? NOTHING;
    const half = (from: number, to?: number) => ({
      ...field,
      content: field.content.slice(from, to) as Field["content"],
    });
    const cut = number % (field.content.length + 1);
    list.splice(index, 1, half(0, cut), half(cut));
  },
  "another field beside it": (list, index, number) => {
    const field = list[index] ?? NOTHING;
    const beside = { ...field, number: field.number === 3 ? 2 : 3, content: TEXTS[number % TEXTS.length] ?? "" };
    list.splice(index + (number % 2), 0, beside);
  },
  "empty it": (list, index) => change(list, index, { content: "" }),
  "other text": (list, index, number) => change(list, index, { content: TEXTS[number % TEXTS.length] ?? "" }),
  "bytes that are no UTF-8": (list, index, number) => {
    const { content } = list[index] ?? NOTHING;
    if (typeof content === "string")
      change(list, index, { content: content + (NO_UTF8[number % NO_UTF8.length] ?? "") });
  },
  "other number": (list, index, number) => change(list, index, { number: [1, 2, 3, 4, 5, 10, 13][number % 7] ?? 1 }),
  "other wire type": (list, index, number) => change(list, index, { type: number % 8 }),
  "unknown field": (list, index, number) => {
    const numbers = [6, 15, 31, 32, 1_000, 2 ** 29 - 1, 0];
    list.splice(index, 0, {
      ...NOTHING,
      number: numbers[number % numbers.length] ?? 6,
      type: number % 6,
      content: "unknown",
    });
  },
  group: (list, index) => {
    const begin = { ...NOTHING, number: 7, type: 3 };
    list.splice(index, 1, begin, list[index] ?? NOTHING, { ...begin, type: 4 });
  },
  "overlong tag": (list, index, number) => change(list, index, { tagBytes: 1 + (number % 11) }),
  "overlong length": (list, index, number) => change(list, index, { lengthBytes: 1 + (number % 11) }),
  "false length": (list, index, number) => {
    const lies = [1, -1, 2, 100, 2 ** 31, 2 ** 32, 2 ** 32 - 1, 2 ** 53];
    change(list, index, { lie: lies[number % lies.length] ?? 1 });
  },
} satisfies Record<string, (list: Field[], index: number, number: number) => unknown>;

type Kind = keyof typeof CHANGES;

const changes = fc.record({
  kind: fc.constantFrom(...(Object.keys(CHANGES) as Kind[])),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  number: fc.nat(999),
});

/** What befalls the bytes afterwards. */
const faults = fc.record({
  kind: fc.constantFrom("replace", "insert", "remove", "cut"),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  byte: fc.nat(255),
});

const NOTHING: Field = { number: 1, type: 2, content: "", tagBytes: 1, lengthBytes: 1, lie: 0 };
const TEXTS = [
  "GET",
  "POST",
  "/open",
  "/v1/orders",
  "/closed/x",
  "",
  ":path",
  "authorization",
  "x-api-key",
  "keyward.access",
  "public",
];
const NO_UTF8 = ["\xff", "\xc0\xae", "\xed\xa0\x80", "\xe2\x82", "\xc3\xa9", "\0", "!"];

/** Serialized CheckRequests: mostly such as Envoy would send, with a few things done to them on the way. */
export function wireMessages(worded: fc.Arbitrary<Worded>): fc.Arbitrary<Uint8Array> {
  const few = fc.oneof(
    { weight: 1, arbitrary: fc.constant([]) },
    { weight: 3, arbitrary: fc.array(changes, { minLength: 1, maxLength: 4 }) },
  );
  const rarely = fc.oneof(
    { weight: 5, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(faults, { minLength: 1, maxLength: 3 }) },
  );
  return fc.tuple(worded, few, rarely).map(([words, done, broken]) => {
    const message = fieldsOf(words);
    for (const { kind, at, number } of done) {
      const places = placesIn(message);
      const place = places[Math.min(Math.floor(at * places.length), places.length - 1)];
      if (place !== undefined) CHANGES[kind](place.list, place.index, number);
    }
    const bytes = bytesOf(message);
    for (const { kind, at, byte } of broken) {
      const place = Math.floor(at * bytes.length);
      if (kind === "cut") bytes.splice(place);
      else bytes.splice(place, kind === "insert" ? 0 : 1, ...(kind === "remove" ? [] : [byte]));
    }
    return Uint8Array.from(bytes);
  });
}

function change(list: Field[], index: number, more: Partial<Field>): void {
  list.splice(index, 1, { ...(list[index] ?? NOTHING), ...more });
}

function placesIn(list: Field[]): { readonly list: Field[]; readonly index: number }[] {
  return list.flatMap(({ content }, index) => [
    { list, index },
    ...(typeof content === "string" ? [] : placesIn(content)),
  ]);
}

function fieldsOf({ method, path, host, headers, form, extensions, address }: Worded): Field[] {
  const map =
    form === "headers"
      ? []
      : [
          of(
            13,
            headers.map(([name, value]) => of(1, [of(1, name), of(3, value)])),
          ),
        ];
  const entries = form === "header_map" ? [] : headers.map(([name, value]) => of(3, [of(1, name), of(2, value)]));
  const both = form === "both, the map first" ? [...map, ...entries] : [...entries, ...map];
  const http = [of(1, "id"), of(2, method), of(4, path), of(5, host), of(10, "HTTP/1.1"), ...both];
  const source = address === undefined ? [] : [of(1, [of(1, [of(1, [of(2, address)])])])];
  const context = extensions.map(([name, value]) => of(10, [of(1, name), of(2, value)]));
  return [of(1, [...source, of(4, [of(2, http)]), ...context])];
}

function of(number: number, content: Field["content"]): Field {
  return { ...NOTHING, number, content };
}

function bytesOf(list: readonly Field[]): number[] {
  return list.flatMap(({ number, type, content, tagBytes, lengthBytes, lie }) => {
    const tag = varint(BigInt(number) * 8n + BigInt(type), tagBytes);
    if (type === 0) return [...tag, ...varint(BigInt(content.length), lengthBytes)];
    if (type === 1 || type === 5) return [...tag, ...Array.from({ length: type === 1 ? 8 : 4 }, () => 0x0a)];
    if (type !== 2) return tag;
    const bytes =
      typeof content === "string" ? Array.from(content, (one) => one.charCodeAt(0) & 0xff) : bytesOf(content);
    return [...tag, ...varint(BigInt(Math.max(bytes.length + lie, 0)), lengthBytes), ...bytes];
  });
}
