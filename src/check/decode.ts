import { type Extension, isOwnExtension } from "../policy/extensions.ts";
import { createWatchedNames, type WatchedHeaders, type WatchedNames } from "./watched.ts";
import { byteString, fields, MALFORMED, WireReader } from "./wire.ts";

/** A header of the request in which a credential may be. */
export interface Header {
  /** In lower case. */
  readonly name: string;
  /** As it was sent, one character a byte. */
  readonly value: string;
}

/** What deciding needs of one `envoy.service.auth.v3.CheckRequest`. Texts hold one character a byte. */
export interface AccessRequest {
  readonly method: string;
  /** `host`, empty where none was sent; undefined where `:authority` tells another. */
  readonly authority: string | undefined;
  /** `path` with its query; undefined where `:path` tells another. */
  readonly target: string | undefined;
  /** Whether no byte of the path was replaced on the way: it stands in `header_map` (`encode_raw_headers`) as well. */
  readonly bytesKnown: boolean;
  /** Whether there may be headers that Envoy did not show: its `allowed_headers` leave out even `:path`. */
  readonly headersFiltered: boolean;
  /** The address of the connection (`source.address.socket_address`), where there is one. */
  readonly sourceAddress: string | undefined;
  /** The last `user-agent`, where one was sent. Nothing is decided by it. */
  readonly userAgent?: string | undefined;
  /** The headers in which credentials may be, in the order in which they came; one that came twice is there twice. */
  readonly headers: readonly Header[];
  /** Every spelling of an identity header that the client sent, in lower case, each once. */
  readonly identitySpellings: readonly string[];
  /** The entries of `context_extensions` that begin with `keyward.`. */
  readonly extensions: readonly Extension[];
}

/**
 * Makes the reader of serialized CheckRequests (`envoy/service/auth/v3/external_auth.proto`). It reads only what deciding
 * needs, and returns undefined for what is not a CheckRequest, has no HTTP request in it, or says a thing twice.
 */
export function createDecode(watched: WatchedHeaders): (bytes: Uint8Array) => AccessRequest | undefined {
  const names = createWatchedNames(watched);
  return (bytes) => {
    try {
      return readCheckRequest(bytes, names);
    } catch (error) {
      if (error === MALFORMED) return undefined;
      throw error;
    }
  };
}

const CHECK_REQUEST = fields([1]);
const ATTRIBUTES = { source: 1, request: 4, contextExtensions: 10 };
const ATTRIBUTE_CONTEXT = fields([ATTRIBUTES.source, ATTRIBUTES.request], [ATTRIBUTES.contextExtensions]);
const REQUEST = fields([2]);
const HTTP = { method: 2, headers: 3, path: 4, host: 5, headerMap: 13 };
const HTTP_REQUEST = fields([HTTP.method, HTTP.path, HTTP.host, HTTP.headerMap], [HTTP.headers]);
const HEADER_MAP = fields([], [1]);
const HEADER_VALUE = fields([1, 2, 3]);
const MAP_ENTRY = fields([1, 2]);
const PEER = fields([1]);
/** An address is of one kind, and the last that is told is meant: a socket's, a pipe's, or one within Envoy. */
const ADDRESS = { socket: 1, pipe: 2, internal: 3 };
const ADDRESSES = fields([ADDRESS.socket, ADDRESS.pipe, ADDRESS.internal]);
const SOCKET_ADDRESS = fields([2]);

/** A part of the message. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** The request as the messages on the way down tell it. */
class DecodedRequest implements AccessRequest {
  method = "";
  authority: string | undefined = "";
  target: string | undefined = "";
  bytesKnown = false;
  headersFiltered = false;
  headers: Header[] = [];
  readonly identitySpellings: string[] = [];
  readonly extensions: Extension[] = [];
  readonly #bytes: Uint8Array;
  source: Span | undefined;
  agent: Span | undefined;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Made into text once somebody asks: most checks never do. */
  get sourceAddress(): string | undefined {
    return this.source && byteString(this.#bytes, this.source.start, this.source.end);
  }

  /** As above. */
  get userAgent(): string | undefined {
    return this.agent && byteString(this.#bytes, this.agent.start, this.agent.end);
  }
}

/** Where the pseudo-headers stand among the headers. */
interface PseudoHeaders {
  ":method"?: Span;
  ":authority"?: Span;
  ":path"?: Span;
}

function readCheckRequest(bytes: Uint8Array, names: WatchedNames): AccessRequest | undefined {
  const request = new DecodedRequest(bytes);
  let isWhole = false;
  const message = new WireReader(bytes, 0, bytes.length, CHECK_REQUEST);
  while (message.next()) isWhole = readAttributes(message.message(ATTRIBUTE_CONTEXT), request, names);
  return isWhole ? request : undefined;
}

/** Returns whether there is an HTTP request among the attributes, and its method is not told in two ways. */
function readAttributes(attributes: WireReader, request: DecodedRequest, names: WatchedNames): boolean {
  let isWhole = false;
  while (attributes.next()) {
    if (attributes.field === ATTRIBUTES.contextExtensions) {
      readExtension(attributes.message(MAP_ENTRY), request);
    } else if (attributes.field === ATTRIBUTES.request) {
      const message = attributes.message(REQUEST);
      while (message.next()) isWhole = readHttp(message.message(HTTP_REQUEST), request, names);
    } else {
      request.source = findAddress(attributes.message(PEER));
    }
  }
  return isWhole;
}

/** Peer.address → Address.socket_address → SocketAddress.address. A pipe or an internal address is none. */
function findAddress(peer: WireReader): Span | undefined {
  let found: Span | undefined;
  while (peer.next()) {
    const address = peer.message(ADDRESSES);
    while (address.next()) {
      found = undefined;
      if (address.field !== ADDRESS.socket) continue;
      const socket = address.message(SOCKET_ADDRESS);
      while (socket.next()) found = { start: socket.start, end: socket.end };
    }
  }
  return found;
}

function readExtension(entry: WireReader, request: DecodedRequest): void {
  let name = "";
  let value = "";
  while (entry.next()) {
    if (entry.field === 1) name = entry.byteString();
    else value = entry.byteString();
  }
  if (isOwnExtension(name)) request.extensions.push({ name, value });
}

/**
 * Reads an HttpRequest and compares what its pseudo-headers repeat. Returns false where the method is told in two ways;
 * a host or path that is, is left undefined, since those have reasons of their own.
 */
function readHttp(http: WireReader, request: DecodedRequest, names: WatchedNames): boolean {
  const told = { method: NOWHERE, host: NOWHERE, path: NOWHERE };
  let pseudo: PseudoHeaders = {};
  let isMap = false;
  while (http.next()) {
    if (http.field === HTTP.method) told.method = { start: http.start, end: http.end };
    else if (http.field === HTTP.path) told.path = { start: http.start, end: http.end };
    else if (http.field === HTTP.host) told.host = { start: http.start, end: http.end };
    else if (http.field === HTTP.headerMap) {
      isMap = true;
      request.headers = [];
      request.agent = undefined;
      pseudo = {};
      const map = http.message(HEADER_MAP);
      const header = map.message(HEADER_VALUE);
      while (map.next()) {
        header.enter(map);
        readHeader(header, request, pseudo, names);
      }
    }
    // `header_map` is the truer of the two (attribute_context.proto): where it is present, `headers` is not looked at.
    // All the same, it must hold together.
    else if (isMap) assertWhole(http.message(MAP_ENTRY));
    else readHeader(http.message(MAP_ENTRY), request, pseudo, names);
  }
  const agreed = (span: Span, repeated: Span = span) => {
    return haveSameBytes(http.bytes, span, repeated) ? byteString(http.bytes, span.start, span.end) : undefined;
  };
  request.bytesKnown = isMap && pseudo[":path"] !== undefined;
  request.headersFiltered = pseudo[":path"] === undefined;
  request.authority = agreed(told.host, pseudo[":authority"]);
  request.target = agreed(told.path, pseudo[":path"]);
  const method = agreed(told.method, pseudo[":method"]);
  request.method = method ?? "";
  return method !== undefined;
}

/** Throws MALFORMED where a message that nobody reads is none. */
function assertWhole(message: WireReader): void {
  let more = true;
  while (more) more = message.next();
}

/** Of a field that is not there, and so is empty. */
const NOWHERE: Span = { start: 0, end: 0 };

function haveSameBytes(bytes: Uint8Array, one: Span, other: Span): boolean {
  if (one.end - one.start !== other.end - other.start) return false;
  for (let at = one.start, beside = other.start; at < one.end; at++, beside++) {
    if (bytes[at] !== bytes[beside]) return false;
  }
  return true;
}

/** One HeaderValue (key 1, value 2, raw_value 3), or one entry of the map `headers` (key 1, value 2). */
function readHeader(entry: WireReader, request: DecodedRequest, pseudo: PseudoHeaders, names: WatchedNames): void {
  const { bytes } = entry;
  let keyStart = 0;
  let keyEnd = 0;
  let start = 0;
  let end = 0;
  while (entry.next()) {
    if (entry.field === 1) {
      keyStart = entry.start;
      keyEnd = entry.end;
    } else if (entry.start !== entry.end) {
      if (start !== end) throw MALFORMED;
      start = entry.start;
      end = entry.end;
    }
  }
  const watched = names.find(bytes, keyStart, keyEnd);
  if (watched === undefined) return;
  if (watched.kind === "pseudo") {
    if (pseudo[watched.name] !== undefined) throw MALFORMED;
    pseudo[watched.name] = { start, end };
  } else if (watched.kind === "credential") {
    request.headers.push({ name: watched.name, value: byteString(bytes, start, end) });
  } else if (watched.kind === "agent") {
    request.agent = { start, end };
  } else {
    const spelling = byteString(bytes, keyStart, keyEnd).toLowerCase();
    if (!request.identitySpellings.includes(spelling)) request.identitySpellings.push(spelling);
  }
}
