import { fromBinary } from "@bufbuild/protobuf";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import type { HeaderValueOption } from "../../src/gen/envoy/config/core/v3/base_pb.ts";
import {
  CheckResponseSchema,
  type DeniedHttpResponse,
  DeniedHttpResponseSchema,
} from "../../src/gen/envoy/service/auth/v3/external_auth_pb.ts";

/** What Keyward told Envoy to do. */
export interface Verdict {
  /** The google.rpc.Code in the answer: 0, also where none is told, lets the request through. */
  code: number;
  answer: "ok" | "denied" | "error" | "none";
  /** HTTP status for the client; 0 where the request goes through. */
  status: number;
  /** For an allow what the upstream gets, for a denial what the client gets. */
  headers: HeaderValueOption[];
  removed: string[];
  /** The query parameters that the upstream does not get. */
  removedParameters: string[];
  /** For an allow: what is added to the upstream's answer on its way to the client. */
  responseHeaders: HeaderValueOption[];
  body: string;
  metadata: Record<string, unknown>;
}

/** Reads a serialized CheckResponse as Envoy 1.37 and later do. */
export function verdictOf(bytes: Uint8Array): Verdict {
  const { status, httpResponse, dynamicMetadata = {}, $unknown = [] } = fromBinary(CheckResponseSchema, bytes);
  const common = { code: status?.code ?? 0, metadata: dynamicMetadata };
  const error = $unknown.find(({ no }) => no === ERROR_RESPONSE);
  if (error !== undefined) {
    const refusal = fromBinary(DeniedHttpResponseSchema, new BinaryReader(error.data).bytes());
    return { ...common, answer: "error", ...refusalOf(refusal) };
  }
  if (httpResponse.case === "deniedResponse") return { ...common, answer: "denied", ...refusalOf(httpResponse.value) };
  const ok = httpResponse.case === "okResponse" ? httpResponse.value : undefined;
  return {
    ...common,
    answer: ok === undefined ? "none" : "ok",
    status: 0,
    headers: ok?.headers ?? [],
    removed: ok?.headersToRemove ?? [],
    removedParameters: ok?.queryParametersToRemove ?? [],
    responseHeaders: ok?.responseHeadersToAdd ?? [],
    body: "",
  };
}

/** The headers of a verdict by name, each of which must be there once. */
export function headersOf({ headers }: Pick<Verdict, "headers">): Record<string, string> {
  const named = headers.map(({ header }) => [header?.key ?? "", header?.value ?? ""] as const);
  if (new Set(named.map(([name]) => name)).size < named.length) throw new Error("a header is set twice");
  return Object.fromEntries(named);
}

/** The reason of a verdict as dynamic metadata tells it: of a denial, or `allowed` and `public`. */
export function reasonOf(bytes: Uint8Array): unknown {
  return verdictOf(bytes).metadata.reason;
}

/** CheckResponse.error_response, for which the generated schema is too old. */
const ERROR_RESPONSE = 5;

function refusalOf({ status, headers, body }: DeniedHttpResponse) {
  return { status: status?.code ?? 0, headers, removed: [], removedParameters: [], responseHeaders: [], body };
}
