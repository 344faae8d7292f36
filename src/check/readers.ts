import type { Latin1 } from "./latin1.ts";
import { NameAndValue } from "./name-and-value.ts";
import { ToldTwice } from "./told-twice.ts";
import type { WatchedNames } from "./watched.ts";
import { fields, WireReader } from "./wire.ts";

const CHECK_REQUEST = fields([1]);
/** Numbers of fields of AttributeContext that must be told apart. */
export const ATTRIBUTES = { source: 1, request: 4, contextExtensions: 10 };
const ATTRIBUTE_CONTEXT = fields([ATTRIBUTES.source, ATTRIBUTES.request], [ATTRIBUTES.contextExtensions]);
const REQUEST = fields([2]);
/** As above, of AttributeContext.HttpRequest. */
export const HTTP = { method: 2, headers: 3, path: 4, host: 5, headerMap: 13 };
const HTTP_REQUEST = fields([HTTP.method, HTTP.path, HTTP.host, HTTP.headerMap], [HTTP.headers]);
const HEADER_MAP = fields([], [1]);
const HEADER_VALUE = fields([1, 2, 3]);
const MAP_ENTRY = fields([1, 2]);
const PEER = fields([1]);
/** An address is of one kind, and the last that is told is meant: a socket's, a pipe's, or one within Envoy. */
export const ADDRESS = { socket: 1, pipe: 2, internal: 3 };
const ADDRESSES = fields([ADDRESS.socket, ADDRESS.pipe, ADDRESS.internal]);
const SOCKET_ADDRESS = fields([2]);

/** A reader for each message on the way down, made once: one request is read after the other. */
export class Readers {
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
    this.method = new ToldTwice(latin1);
    this.host = new ToldTwice(latin1);
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
