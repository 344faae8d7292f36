import { fromBinary } from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";
import type { Code, ConnectError } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import type { ServiceError } from "@grpc/grpc-js";
import { BadRequestSchema, ErrorInfoSchema } from "../../../src/gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../../../src/gen/google/rpc/status_pb.ts";

interface Detail {
  readonly type: string;
  readonly value: Uint8Array;
}

/** A call that the admin API refused, told in the same way whatever protocol the refusal came by. */
export class Refused extends Error {
  /** As Connect writes it, such as `invalid_argument`. */
  readonly code: string;
  /** `google.rpc.ErrorInfo`, of which there is one or none. */
  readonly reason: string | undefined;
  readonly domain: string | undefined;
  readonly metadata: Readonly<Record<string, string>> | undefined;
  /** The fields that `google.rpc.BadRequest` names, in its order. */
  readonly fields: readonly string[];
  /** What it says of each of them. */
  readonly descriptions: readonly string[];

  constructor(code: string, message: string, details: readonly Detail[]) {
    super(message);
    this.code = code;
    const info = details.find(({ type }) => type === ErrorInfoSchema.typeName);
    const { reason, domain, metadata } = info === undefined ? {} : fromBinary(ErrorInfoSchema, info.value);
    this.reason = reason;
    this.domain = domain;
    this.metadata = metadata;
    const bad = details.find(({ type }) => type === BadRequestSchema.typeName);
    const violations = bad === undefined ? [] : fromBinary(BadRequestSchema, bad.value).fieldViolations;
    this.fields = violations.map(({ field }) => field);
    this.descriptions = violations.map(({ description }) => description);
  }
}

/** Reads the error body of Connect's unary protocol, which is what curl sees. */
export function refusedOfJson(body: string): Refused {
  const error: { code: string; message?: string; details?: { type: string; value: string }[] } = JSON.parse(body);
  const details = (error.details ?? []).map(({ type, value }) => ({ type, value: base64Decode(value) }));
  return new Refused(error.code, error.message ?? "", details);
}

/** Reads what a client of Connect has made of Connect's, gRPC's or gRPC-Web's error. */
export function refusedOfConnect({ code, rawMessage, details }: ConnectError): Refused {
  return new Refused(codeToString(code), rawMessage, details as readonly Detail[]);
}

/** Reads an error of grpc-js: its details come as `google.rpc.Status` in a trailer. */
export function refusedOfGrpc({ code, details: message, metadata }: ServiceError): Refused {
  const [packed] = metadata.get("grpc-status-details-bin");
  const { details } = fromBinary(StatusSchema, packed instanceof Uint8Array ? packed : new Uint8Array());
  const named = details.map(({ typeUrl, value }) => ({ type: typeUrl.slice(typeUrl.lastIndexOf("/") + 1), value }));
  // Both number the codes as gRPC does.
  const number: number = code;
  return new Refused(codeToString(number as Code), message, named);
}
