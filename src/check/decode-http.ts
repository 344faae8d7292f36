import type { DecodedRequest } from "./decoded-request.ts";
import type { NameAndValue } from "./name-and-value.ts";
import { HTTP, type Readers } from "./readers.ts";

/**
 * Reads an HttpRequest and compares what its pseudo-headers repeat. Returns false where the method is told in two ways;
 * a host or path that is, is left undefined, since those have reasons of their own.
 */
export function readHttp(readers: Readers, request: DecodedRequest): boolean {
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
