import type { Extension } from "../policy/extensions.ts";
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
  /** Whether no byte was replaced on the way: Envoy sent `header_map` (`encode_raw_headers`). */
  readonly bytesKnown: boolean;
  /** The address of the connection (`source.address.socket_address`), where there is one. */
  readonly sourceAddress: string | undefined;
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
/** The only field on the way down from Peer to Address to SocketAddress. */
const FIRST = fields([1]);
const SOCKET_ADDRESS = fields([2]);

const EXTENSION_PREFIX = "keyward.";

/** What the messages on the way down have told so far. */
class Draft {
  sourceAddress: string | undefined;
  http: WireReader | undefined;
  method = "";
  host = "";
  path = "";
  pseudoMethod: string | undefined;
  pseudoAuthority: string | undefined;
  pseudoPath: string | undefined;
  bytesKnown = false;
  headers: Header[] = [];
  readonly identitySpellings: string[] = [];
  readonly extensions: Extension[] = [];
}

function readCheckRequest(bytes: Uint8Array, names: WatchedNames): AccessRequest | undefined {
  const draft = new Draft();
  const message = new WireReader(bytes, 0, bytes.length, CHECK_REQUEST);
  while (message.next()) readAttributes(message.message(ATTRIBUTE_CONTEXT), draft);
  if (draft.http === undefined) return undefined;
  readHttp(draft.http, draft, names);
  const { method, host, path, pseudoMethod, pseudoAuthority, pseudoPath } = draft;
  if ((pseudoMethod ?? method) !== method) return undefined;
  return {
    method,
    authority: (pseudoAuthority ?? host) === host ? host : undefined,
    target: (pseudoPath ?? path) === path ? path : undefined,
    bytesKnown: draft.bytesKnown,
    sourceAddress: draft.sourceAddress,
    headers: draft.headers,
    identitySpellings: draft.identitySpellings,
    extensions: draft.extensions,
  };
}

function readAttributes(attributes: WireReader, draft: Draft): void {
  while (attributes.next()) {
    if (attributes.field === ATTRIBUTES.contextExtensions) {
      readExtension(attributes.message(MAP_ENTRY), draft);
    } else if (attributes.field === ATTRIBUTES.request) {
      const request = attributes.message(REQUEST);
      while (request.next()) draft.http = request.message(HTTP_REQUEST);
    } else {
      draft.sourceAddress = readPeerAddress(attributes.message(FIRST));
    }
  }
}

/** Peer.address → Address.socket_address → SocketAddress.address. A pipe or an internal address is none. */
function readPeerAddress(peer: WireReader): string | undefined {
  if (!peer.next()) return undefined;
  const address = peer.message(FIRST);
  if (!address.next()) return undefined;
  const socket = address.message(SOCKET_ADDRESS);
  return socket.next() ? socket.byteString() : undefined;
}

function readExtension(entry: WireReader, draft: Draft): void {
  let name = "";
  let value = "";
  while (entry.next()) {
    if (entry.field === 1) name = entry.byteString();
    else value = entry.byteString();
  }
  if (name.startsWith(EXTENSION_PREFIX)) draft.extensions.push({ name, value });
}

function readHttp(http: WireReader, draft: Draft, names: WatchedNames): void {
  while (http.next()) {
    if (http.field === HTTP.method) draft.method = http.byteString();
    else if (http.field === HTTP.path) draft.path = http.byteString();
    else if (http.field === HTTP.host) draft.host = http.byteString();
    else if (http.field === HTTP.headerMap) readHeaderMap(http.message(HEADER_MAP), draft, names);
    // `header_map` is the truer of the two (attribute_context.proto): where it is present, `headers` is not looked at.
    else if (!draft.bytesKnown) readHeader(http.message(MAP_ENTRY), draft, names);
  }
}

function readHeaderMap(map: WireReader, draft: Draft, names: WatchedNames): void {
  draft.bytesKnown = true;
  draft.headers = [];
  draft.pseudoMethod = draft.pseudoAuthority = draft.pseudoPath = undefined;
  while (map.next()) readHeader(map.message(HEADER_VALUE), draft, names);
}

/** One HeaderValue (key 1, value 2, raw_value 3), or one entry of the map `headers` (key 1, value 2). */
function readHeader(entry: WireReader, draft: Draft, names: WatchedNames): void {
  let keyStart = 0;
  let keyEnd = 0;
  let valueStart = 0;
  let valueEnd = 0;
  while (entry.next()) {
    if (entry.field === 1) {
      keyStart = entry.start;
      keyEnd = entry.end;
    } else if (entry.start !== entry.end) {
      if (valueStart !== valueEnd) throw MALFORMED;
      valueStart = entry.start;
      valueEnd = entry.end;
    }
  }
  const watched = names.find(entry.bytes, keyStart, keyEnd);
  if (watched === undefined) return;
  if (watched.kind === "identity") {
    const spelling = entry.byteString(keyStart, keyEnd).toLowerCase();
    if (!draft.identitySpellings.includes(spelling)) draft.identitySpellings.push(spelling);
    return;
  }
  const value = entry.byteString(valueStart, valueEnd);
  if (watched.kind === "credential") draft.headers.push({ name: watched.name, value });
  else readPseudoHeader(watched.name, value, draft);
}

function readPseudoHeader(name: string, value: string, draft: Draft): void {
  const field = name === ":path" ? "pseudoPath" : name === ":method" ? "pseudoMethod" : "pseudoAuthority";
  if (draft[field] !== undefined) throw MALFORMED;
  draft[field] = value;
}
