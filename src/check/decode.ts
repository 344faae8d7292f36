import { type Extension, isOwnExtension } from "../policy/extensions.ts";
import { createRepeated, type Latin1 } from "./latin1.ts";
import { NameAndValue } from "./name-and-value.ts";
import { ToldTwice } from "./told-twice.ts";
import { createWatchedNames, type WatchedHeaders, type WatchedNames } from "./watched.ts";
import { fields, MALFORMED, WireReader } from "./wire.ts";

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
export function createDecode(
  watched: WatchedHeaders,
  latin1: Latin1,
): (bytes: Uint8Array) => AccessRequest | undefined {
  const readers = new Readers(createWatchedNames(watched), latin1);
  return (bytes) => {
    const request = new DecodedRequest(bytes, latin1);
    try {
      return readCheckRequest(bytes, readers, request) ? request : undefined;
    } catch (error) {
      if (error === MALFORMED) return undefined;
      throw error;
    } finally {
      readers.leave();
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

/** A reader for each message on the way down, made once: one request is read after the other. */
class Readers {
  readonly checkRequest = new WireReader(CHECK_REQUEST);
  readonly attributes = new WireReader(ATTRIBUTE_CONTEXT);
  readonly request = new WireReader(REQUEST);
  readonly http = new WireReader(HTTP_REQUEST);
  readonly headerMap = new WireReader(HEADER_MAP);
  readonly headerValue = new NameAndValue(HEADER_VALUE);
  readonly mapEntry = new NameAndValue(MAP_ENTRY);
  readonly peer = new WireReader(PEER);
  readonly address = new WireReader(ADDRESSES);
  readonly socketAddress = new WireReader(SOCKET_ADDRESS);
  readonly names: WatchedNames;
  readonly latin1: Latin1;
  readonly method: ToldTwice;
  readonly host: ToldTwice;
  readonly path: ToldTwice;

  constructor(names: WatchedNames, latin1: Latin1) {
    this.names = names;
    this.latin1 = latin1;
    this.method = new ToldTwice(createRepeated(latin1));
    this.host = new ToldTwice(createRepeated(latin1));
    this.path = new ToldTwice(latin1);
  }

  leave(): void {
    this.checkRequest.leave();
    this.attributes.leave();
    this.request.leave();
    this.http.leave();
    this.headerMap.leave();
    this.headerValue.leave();
    this.mapEntry.leave();
    this.peer.leave();
    this.address.leave();
    this.socketAddress.leave();
  }
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
  readonly #latin1: Latin1;
  source: Span | undefined;
  agent: Span | undefined;

  constructor(bytes: Uint8Array, latin1: Latin1) {
    this.#bytes = bytes;
    this.#latin1 = latin1;
  }

  /** Made into text once somebody asks: most checks never do. */
  get sourceAddress(): string | undefined {
    return this.source && this.#latin1(this.#bytes, this.source.start, this.source.end);
  }

  /** As above. */
  get userAgent(): string | undefined {
    return this.agent && this.#latin1(this.#bytes, this.agent.start, this.agent.end);
  }
}

/** A part of the message. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** Returns whether there is an HTTP request in it, and its method is not told in two ways. */
function readCheckRequest(bytes: Uint8Array, readers: Readers, request: DecodedRequest): boolean {
  const { checkRequest, attributes } = readers;
  let isWhole = false;
  checkRequest.begin(bytes, 0, bytes.length);
  while (checkRequest.next()) {
    attributes.enter(checkRequest);
    isWhole = readAttributes(readers, request);
  }
  return isWhole;
}

function readAttributes(readers: Readers, request: DecodedRequest): boolean {
  const { attributes, mapEntry, request: message, http } = readers;
  let isWhole = false;
  while (attributes.next()) {
    if (attributes.field === ATTRIBUTES.contextExtensions) {
      mapEntry.read(attributes);
      noteExtension(attributes.bytes, readers, request);
    } else if (attributes.field === ATTRIBUTES.request) {
      message.enter(attributes);
      while (message.next()) {
        http.enter(message);
        isWhole = readHttp(readers, request);
      }
    } else {
      request.source = findAddress(readers);
    }
  }
  return isWhole;
}

/** Peer.address → Address.socket_address → SocketAddress.address. A pipe or an internal address is none. */
function findAddress({ attributes, peer, address, socketAddress }: Readers): Span | undefined {
  let found: Span | undefined;
  peer.enter(attributes);
  while (peer.next()) {
    address.enter(peer);
    while (address.next()) {
      found = undefined;
      if (address.field !== ADDRESS.socket) continue;
      socketAddress.enter(address);
      while (socketAddress.next()) found = { start: socketAddress.start, end: socketAddress.end };
    }
  }
  return found;
}

function noteExtension(bytes: Uint8Array, { mapEntry, latin1 }: Readers, request: DecodedRequest): void {
  const name = latin1(bytes, mapEntry.nameStart, mapEntry.nameEnd);
  if (isOwnExtension(name)) request.extensions.push({ name, value: latin1(bytes, mapEntry.start, mapEntry.end) });
}

/**
 * Reads an HttpRequest and compares what its pseudo-headers repeat. Returns false where the method is told in two ways;
 * a host or path that is, is left undefined, since those have reasons of their own.
 */
function readHttp(readers: Readers, request: DecodedRequest): boolean {
  const { http, method, host, path, mapEntry } = readers;
  const { bytes } = http;
  method.clear();
  host.clear();
  path.clear();
  let isMap = false;
  while (http.next()) {
    if (http.field === HTTP.method) method.tell(http.start, http.end);
    else if (http.field === HTTP.path) path.tell(http.start, http.end);
    else if (http.field === HTTP.host) host.tell(http.start, http.end);
    else if (http.field === HTTP.headerMap) {
      isMap = true;
      readHeaderMap(readers, request);
    } else {
      // `header_map` is the truer of the two (attribute_context.proto): where it is present, `headers` is not looked at.
      // All the same, it must hold together.
      mapEntry.read(http);
      if (!isMap) noteHeader(bytes, mapEntry, readers, request);
    }
  }
  request.bytesKnown = isMap && path.isRepeated;
  request.headersFiltered = !path.isRepeated;
  request.authority = host.agreed(bytes);
  request.target = path.agreed(bytes);
  const agreed = method.agreed(bytes);
  request.method = agreed ?? "";
  return agreed !== undefined;
}

/** What stood in `headers` before it, is forgotten. */
function readHeaderMap(readers: Readers, request: DecodedRequest): void {
  const { http, headerMap, headerValue, method, host, path } = readers;
  request.headers = [];
  request.agent = undefined;
  method.clearRepetition();
  host.clearRepetition();
  path.clearRepetition();
  headerMap.enter(http);
  while (headerMap.next()) {
    headerValue.read(headerMap);
    noteHeader(http.bytes, headerValue, readers, request);
  }
}

/** What is done about one header. */
function noteHeader(bytes: Uint8Array, header: NameAndValue, readers: Readers, request: DecodedRequest): void {
  const { nameStart, nameEnd, start, end } = header;
  const watched = readers.names.find(bytes, nameStart, nameEnd);
  if (watched === undefined) return;
  if (watched.kind === "pseudo") {
    if (watched.name === ":path") readers.path.repeat(start, end);
    else if (watched.name === ":method") readers.method.repeat(start, end);
    else readers.host.repeat(start, end);
  } else if (watched.kind === "credential") {
    request.headers.push({ name: watched.name, value: readers.latin1(bytes, start, end) });
  } else if (watched.kind === "agent") {
    request.agent = { start, end };
  } else {
    const spelling = readers.latin1(bytes, nameStart, nameEnd).toLowerCase();
    if (!request.identitySpellings.includes(spelling)) request.identitySpellings.push(spelling);
  }
}
