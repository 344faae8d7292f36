import { create, toBinary } from "@bufbuild/protobuf";
import { CheckRequestSchema } from "../../src/gen/envoy/service/auth/v3/external_auth_pb.ts";

/** What the benchmark asks: a path that its keys open, and one for which they have not the scope. */
export const OPEN_PATH = "/v1/orders/4711?expand=items";
export const CLOSED_PATH = "/v1/admin/users";

/** The routes that these paths fall under. */
export const ROUTES = [
  { path: "/healthz", access: "public" },
  { path: "/v1/admin/**", scopes: ["admin:all"] },
  { path: "/v1/**", scopes: ["api:read"] },
] as const;

/** A serialized CheckRequest of 13 headers, as Envoy sends it with `encode_raw_headers`: about 1 KB. */
export function checkRequest(secret: string, path = OPEN_PATH): Uint8Array {
  const headers = {
    ":authority": "api.example.com",
    ":path": path,
    ":method": "GET",
    ":scheme": "https",
    "user-agent": "curl/8.5.0",
    accept: "*/*",
    "accept-encoding": "gzip, deflate, br",
    "x-request-id": "5f2b1f5c-2f0b-4a55-9a43-1f6f8f3f1c11",
    "x-forwarded-for": "203.0.113.7",
    "x-forwarded-proto": "https",
    "content-type": "application/json",
    cookie: "session=0123456789abcdef; theme=dark",
    authorization: `Bearer ${secret}`,
  };
  const raw = Object.entries(headers).map(([key, value]) => ({ key, rawValue: new TextEncoder().encode(value) }));
  const source = { address: { address: { case: "socketAddress" as const, value: { address: "203.0.113.7" } } } };
  const http = { method: "GET", path, host: "api.example.com", protocol: "HTTP/2", headerMap: { headers: raw } };
  const request = create(CheckRequestSchema, { attributes: { source, request: { http } } });
  // As a listener hands it over.
  return Buffer.from(toBinary(CheckRequestSchema, request));
}

/** A message of gRPC: one byte for "not compressed", its length, itself. */
export function framed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}
