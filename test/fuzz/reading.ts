import { type DescMessage, fromBinary, ScalarType } from "@bufbuild/protobuf";
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { CheckRequestSchema } from "../../src/gen/envoy/service/auth/v3/external_auth_pb.ts";

/** A request as somebody else reads it. Texts hold one character a byte. */
export interface Read {
  readonly method: string;
  readonly path: string;
  readonly host: string;
  /** Names as they were sent. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Whether the headers are those of `header_map`. */
  readonly isRaw: boolean;
  /** Whether no byte of the path was replaced on the way. */
  readonly bytesKnown: boolean;
  readonly extensions: Readonly<Record<string, string>>;
  readonly address: string | undefined;
}

/**
 * How protobuf-es reads a CheckRequest with Envoy's own descriptors; undefined where it cannot, or finds no HTTP request.
 * Every byte of a text is made a character first, since protobuf-es puts U+FFFD for what is no UTF-8; and what has another
 * wire type than its field is left out, as protobuf asks (it is an unknown field), which protobuf-es does not.
 */
export function readAsProtobuf(bytes: Uint8Array): Read | undefined {
  const attributes = attributesIn(bytes);
  const http = attributes?.request?.http;
  if (attributes === undefined || http === undefined) return undefined;
  const { method, path, host, headers, headerMap } = http;
  const address = attributes.source?.address?.address;
  const isRaw = headerMap !== undefined;
  return {
    method,
    path,
    host,
    headers:
      headerMap?.headers.map(
        ({ key, value, rawValue }) => [key, rawValue.length > 0 ? latin1(rawValue) : value] as const,
      ) ?? Object.entries(headers),
    isRaw,
    bytesKnown: isRaw && headerMap.headers.some(({ key }) => key.toLowerCase() === ":path"),
    extensions: attributes.contextExtensions,
    address: (address?.case === "socketAddress" && address.value.address) || undefined,
  };
}

function attributesIn(bytes: Uint8Array) {
  try {
    const writer = new BinaryWriter();
    transcribe(CheckRequestSchema, bytes, writer);
    return fromBinary(CheckRequestSchema, writer.finish()).attributes;
  } catch {
    return undefined;
  }
}

/** The other kinds of an address: that there is one is looked at, and what it is is not. */
const OTHERS: ReadonlySet<string> = new Set(["pipe", "envoyInternalAddress"]);

/** What deciding needs, by the names of the fields. What stands in any other need not hold together. */
const READ: ReadonlySet<string> = new Set([
  ...["attributes", "source", "address", "socketAddress", "request", "http", "contextExtensions"],
  ...["method", "path", "host", "headers", "headerMap", "key", "value", "rawValue", ...OTHERS],
]);

/** Writes a message anew, as far as deciding needs it, its texts as Latin-1 in UTF-8. Throws where it does not hold together. */
function transcribe(message: DescMessage, bytes: Uint8Array, writer: BinaryWriter): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    const field = message.fields.find((known) => known.number === number);
    if (field === undefined || type !== WireType.LengthDelimited || !READ.has(field.localName)) {
      reader.skip(type, number);
      continue;
    }
    const content = OTHERS.has(field.localName) ? new Uint8Array() : reader.bytes();
    if (OTHERS.has(field.localName)) reader.skip(type, number);
    if (field.fieldKind === "map") {
      writer.tag(number, type).fork();
      transcribeEntry(content, writer);
      writer.join();
    } else if (field.message !== undefined) {
      writer.tag(number, type).fork();
      transcribe(field.message, content, writer);
      writer.join();
    } else if (field.scalar === ScalarType.STRING) writer.tag(number, type).string(latin1(content));
    else if (field.scalar === ScalarType.BYTES) writer.tag(number, type).bytes(content);
  }
}

/** An entry of a map from text to text. No other is looked at. */
function transcribeEntry(bytes: Uint8Array, writer: BinaryWriter): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    if (number > 2 || type !== WireType.LengthDelimited) reader.skip(type, number);
    else writer.tag(number, type).string(latin1(reader.bytes()));
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}
