import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import type { HeaderValueOption } from "../../src/gen/envoy/config/core/v3/base_pb.ts";
import {
  CheckRequestSchema,
  CheckResponseSchema,
  type DeniedHttpResponse,
  DeniedHttpResponseSchema,
} from "../../src/gen/envoy/service/auth/v3/external_auth_pb.ts";
import {
  HealthCheckRequestSchema,
  HealthCheckResponse_ServingStatus,
  HealthCheckResponseSchema,
} from "../../src/gen/health/v1/health_pb.ts";

/** The full name of Envoy's service. */
export const AUTHORIZATION = "envoy.service.auth.v3.Authorization";

/** A request as Envoy describes it. Left out: `GET /` of `api.test`, without headers. */
export interface Described {
  method?: string;
  path?: string;
  host?: string;
  /** In `header_map`; one that stands twice came twice. */
  headers?: readonly (readonly [name: string, value: string])[];
  /** `context_extensions` of the route. */
  extensions?: Readonly<Record<string, string>>;
}

/** What Keyward told Envoy to do. */
interface Verdict {
  /** The google.rpc.Code in the answer: 0 lets the request through. */
  code: number;
  answer: "ok" | "denied" | "error" | "none";
  /** HTTP status for the client; 0 where the request goes through. */
  status: number;
  /** For an allow what the upstream gets, for a denial what the client gets. */
  headers: Record<string, string>;
  removed: string[];
  body: string;
  /** `reason` of the dynamic metadata. */
  reason: string;
  metadata: Record<string, unknown>;
}

/** Asks Keyward as Envoy does, over one connection. Calls reject with the gRPC error where there is one. */
export interface CheckClient {
  check(request?: Described): Promise<Verdict>;
  /** The same with whatever bytes. */
  checkBytes(bytes: Uint8Array, metadata?: Metadata): Promise<Verdict>;
  /** Presents a secret as a bearer token on `GET /` or on what is said. */
  present(secret: string, request?: Described): Promise<Verdict>;
  /** The status that `grpc.health.v1` tells of a service. */
  health(service?: string): Promise<string>;
  /** Follows it: `seen` grows with each status. `ended` resolves to the gRPC code with which the call ended. */
  watchHealth(service?: string): { seen: string[]; ended: Promise<number> };
  /** Any unary call, as bytes. */
  call(path: string, bytes: Uint8Array, metadata?: Metadata): Promise<Buffer>;
  close(): void;
}

/** Connects to a gRPC data plane at `host:port`, or `unix:/path`; with TLS where credentials for that are given. */
export function createCheckClient(address: string, channel = credentials.createInsecure()): CheckClient {
  const client = new Client(address, channel, {
    "grpc.max_send_message_length": -1,
    // One connection for each client, and not one for all clients of the process.
    "grpc.use_local_subchannel_pool": 1,
  });
  const call: CheckClient["call"] = (path, bytes, metadata = new Metadata()) => {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    const answered = (error: ServiceError | null, answer?: Buffer) =>
      error === null && answer !== undefined ? resolve(answer) : reject(error ?? new Error("no answer"));
    client.makeUnaryRequest(path, asBuffer, (answer) => answer, bytes, metadata, answered);
    return promise;
  };
  const checkBytes: CheckClient["checkBytes"] = async (bytes, metadata) =>
    verdictOf(await call(`/${AUTHORIZATION}/Check`, bytes, metadata));
  const check: CheckClient["check"] = (request) => checkBytes(describeRequest(request));
  const healthRequest = (service: string) =>
    toBinary(HealthCheckRequestSchema, create(HealthCheckRequestSchema, { service }));
  return {
    call,
    check,
    checkBytes,
    present: (secret, request = {}) => {
      const bearer = ["authorization", `Bearer ${secret}`] as const;
      return check({ ...request, headers: [...(request.headers ?? []), bearer] });
    },
    async health(service = "") {
      return statusOf(await call("/grpc.health.v1.Health/Check", healthRequest(service)));
    },
    watchHealth(service = "") {
      const seen: string[] = [];
      const stream = client.makeServerStreamRequest(
        "/grpc.health.v1.Health/Watch",
        asBuffer,
        statusOf,
        healthRequest(service),
      );
      const { promise, resolve } = Promise.withResolvers<number>();
      stream.on("data", (status: string) => seen.push(status));
      stream.on("status", ({ code }) => resolve(code)).on("error", () => {});
      return { seen, ended: promise };
    },
    close: () => client.close(),
  };
}

/** A serialized CheckRequest. */
export function describeRequest({
  method = "GET",
  path = "/",
  host = "api.test",
  headers = [],
  extensions = {},
}: Described = {}): Uint8Array {
  const raw = new TextEncoder();
  const pseudo = [
    [":method", method],
    [":path", path],
    [":authority", host],
  ] as const;
  const entries = [...pseudo, ...headers].map(([key, value]) => ({ key, rawValue: raw.encode(value) }));
  const http = { method, path, host, headerMap: { headers: entries } };
  const request = create(CheckRequestSchema, { attributes: { contextExtensions: extensions, request: { http } } });
  return toBinary(CheckRequestSchema, request);
}

/** What a serialized CheckResponse says. */
function verdictOf(bytes: Uint8Array): Verdict {
  const { status, httpResponse, dynamicMetadata, $unknown = [] } = fromBinary(CheckResponseSchema, bytes);
  // The generated schema is older than `error_response`.
  const error = $unknown.find(({ no }) => no === ERROR_RESPONSE);
  const common = { code: status?.code ?? 0, metadata: dynamicMetadata ?? {}, reason: String(dynamicMetadata?.reason) };
  if (error !== undefined) return { ...common, answer: "error", ...refusalOf(readLengthDelimited(error.data)) };
  if (httpResponse.case === "deniedResponse") return { ...common, answer: "denied", ...refusalOf(httpResponse.value) };
  const { headers = [], headersToRemove = [] } = httpResponse.case === "okResponse" ? httpResponse.value : {};
  const answer = httpResponse.case === "okResponse" ? "ok" : "none";
  return { ...common, answer, status: 0, headers: headersOf(headers), removed: headersToRemove, body: "" };
}

/** CheckResponse.error_response. */
const ERROR_RESPONSE = 5;

function refusalOf({
  status,
  headers,
  body,
}: DeniedHttpResponse): Omit<Verdict, "code" | "answer" | "metadata" | "reason"> {
  return { status: status?.code ?? 0, headers: headersOf(headers), removed: [], body };
}

function readLengthDelimited(bytes: Uint8Array): DeniedHttpResponse {
  let start = 0;
  while ((bytes[start++] ?? 0) >= 0x80);
  return fromBinary(DeniedHttpResponseSchema, bytes.subarray(start));
}

function headersOf(options: readonly HeaderValueOption[]): Record<string, string> {
  return Object.fromEntries(options.map(({ header }) => [header?.key ?? "", header?.value ?? ""]));
}

function statusOf(bytes: Uint8Array): string {
  const { status } = fromBinary(HealthCheckResponseSchema, bytes);
  const known = Object.entries(HealthCheckResponse_ServingStatus).find(([, number]) => number === status);
  return known?.[0] ?? String(status);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
