import { create, toBinary } from "@bufbuild/protobuf";
import { CheckRequestSchema } from "../../src/gen/envoy/service/auth/v3/external_auth_pb.ts";

/** Headers in the order in which they came; one that stands twice came twice. Values hold one character a byte. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

/** A request as Envoy describes it. Left out: `GET /` of `api.test`, without headers and without a source. */
export interface Described {
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  readonly headers?: HeaderList;
  /** Where the headers stand: `header_map` is what Envoy sends under `encode_raw_headers`, and the default. */
  readonly form?: "header_map" | "headers";
  /** `context_extensions` of the route. */
  readonly extensions?: Readonly<Record<string, string>>;
  readonly sourceAddress?: string;
}

/**
 * The serialized CheckRequest that Envoy would send. Pseudo-headers stand among the headers, as Envoy puts them there, but
 * for those that `headers` names itself.
 */
export function describeRequest({
  method = "GET",
  path = "/",
  host = "api.test",
  headers = [],
  form = "header_map",
  extensions = {},
  sourceAddress,
}: Described = {}): Uint8Array {
  const pseudo = Object.entries({ ":method": method, ":path": path, ":authority": host, ":scheme": "http" });
  const all = [...pseudo.filter(([name]) => !headers.some(([own]) => own === name)), ...headers];
  const http = {
    id: "1234567890",
    method,
    path,
    host,
    scheme: "http",
    protocol: "HTTP/1.1",
    ...(form === "headers" ? { headers: folded(all) } : { headerMap: { headers: all.map(rawHeader) } }),
  };
  const request = create(CheckRequestSchema, {
    attributes: {
      contextExtensions: extensions,
      request: { http, time: { seconds: 1_700_000_000n, nanos: 1 } },
      ...(sourceAddress === undefined ? {} : { source: { address: socketAddress(sourceAddress) } }),
    },
  });
  return toBinary(CheckRequestSchema, request);
}

function rawHeader([key, value]: HeaderList[number]) {
  return { key, rawValue: Uint8Array.from(value, (character) => character.charCodeAt(0)) };
}

/** Without `encode_raw_headers` Envoy joins a header that came twice with a comma. */
function folded(headers: HeaderList): Record<string, string> {
  const joined: Record<string, string> = {};
  for (const [name, value] of headers) joined[name] = name in joined ? `${joined[name]},${value}` : value;
  return joined;
}

function socketAddress(address: string) {
  const portSpecifier = { case: "portValue", value: 54321 } as const;
  return { address: { case: "socketAddress", value: { address, portSpecifier } } } as const;
}
