import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { BadRequestSchema, ErrorInfoSchema } from "../gen/google/rpc/error_details_pb.ts";
import { RATE_CELLS } from "../key/record.ts";
import { StoreError } from "../store/store-error.ts";

/** `google.rpc.ErrorInfo.domain` of every error of this API. */
const DOMAIN = "keyward";

/** The reason of an error that is told to the log elsewhere, and seldom: strangers can cause it as often as they like. */
export const ISSUER_UNAVAILABLE = "ISSUER_UNAVAILABLE";

/** An error as the API tells it: a code, a reason that programs can compare, a sentence for people. */
export function apiError(
  code: Code,
  reason: string,
  message: string,
  metadata: Readonly<Record<string, string>> = {},
): ConnectError {
  return new ConnectError(message, code, undefined, [errorInfo(reason, metadata)]);
}

/** One field that is not as it must be. `field` is its path, such as `scopes[2]`. */
export interface FieldViolation {
  readonly field: string;
  readonly description: string;
}

/**
 * How much text an error tells of fields. gRPC puts it into its trailers twice, escaped, and nghttp2 ends a connection on
 * which more than 64 KiB of them are to be sent.
 */
const MAX_VIOLATION_BYTES = 8 * 1024;

/** INVALID_ARGUMENT with `google.rpc.BadRequest`, which names every field that is wrong, or of very many the first. */
export function invalidArgument(violations: readonly FieldViolation[]): ConnectError {
  const told = violations.slice(0, fittingCount(violations));
  const fieldViolations: MessageInitShape<typeof BadRequestSchema>["fieldViolations"] = told.map(
    ({ field, description }) => ({ field, description }),
  );
  const more = violations.length - told.length;
  const message =
    told.map(({ field, description }) => `${field} ${description}`).join("; ") + (more > 0 ? `; and ${more} more` : "");
  return new ConnectError(message, Code.InvalidArgument, undefined, [
    errorInfo("INVALID_ARGUMENT"),
    { desc: BadRequestSchema, value: create(BadRequestSchema, { fieldViolations }) },
  ]);
}

/** How many of them, from the first on, fit into an error; at least one. */
function fittingCount(violations: readonly FieldViolation[]): number {
  let bytes = 0;
  const tooMuch = violations.findIndex(({ field, description }) => {
    bytes += Buffer.byteLength(field) + Buffer.byteLength(description);
    return bytes > MAX_VIOLATION_BYTES;
  });
  return tooMuch === -1 ? violations.length : Math.max(tooMuch, 1);
}

/**
 * What a call that threw is answered with: an error of the API as it is, a bound of the store as RESOURCE_EXHAUSTED, its
 * trouble as UNAVAILABLE, and anything else, a defect of ours, as INTERNAL without its words.
 */
export function asApiError(error: unknown): ConnectError {
  if (error instanceof ConnectError) return error;
  if (error instanceof StoreError && error.code === "no_rate_cell") {
    const message = `${RATE_CELLS} keys have a rate limit, and no more can; revoke one that has, or leave rate_limit out`;
    return apiError(Code.ResourceExhausted, "TOO_MANY_RATE_LIMITS", message);
  }
  if (error instanceof StoreError) {
    return apiError(
      Code.Unavailable,
      "STORE_UNAVAILABLE",
      `the store cannot do this now (${error.code}); nothing was changed`,
    );
  }
  return apiError(Code.Internal, "INTERNAL", "a defect of Keyward; its log says more");
}

function errorInfo(reason: string, metadata: Readonly<Record<string, string>> = {}) {
  return { desc: ErrorInfoSchema, value: create(ErrorInfoSchema, { reason, domain: DOMAIN, metadata }) };
}
