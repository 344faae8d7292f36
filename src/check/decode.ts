import { isOwnExtension } from "../policy/extensions.ts";
import type { AccessRequest } from "./access-request.ts";
import { readHttp } from "./decode-http.ts";
import { DecodedRequest, type Span } from "./decoded-request.ts";
import type { Latin1 } from "./latin1.ts";
import { ADDRESS, ATTRIBUTES, Readers } from "./readers.ts";
import { createWatchedNames, type WatchedHeaders } from "./watched.ts";
import { MALFORMED } from "./wire.ts";

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

/** Returns whether there is an HTTP request in it, and its method is not told in two ways. */
function readCheckRequest(bytes: Uint8Array, readers: Readers, request: DecodedRequest): boolean {
  const { checkRequest, attributes } = readers;
  // All fields on this way stand once at most, or the reader refuses them: nothing of a second HTTP request is mixed in.
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
