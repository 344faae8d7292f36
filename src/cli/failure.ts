import { Code, ConnectError } from "@connectrpc/connect";
import { ConfigError } from "../config/config-error.ts";
import { BadRequestSchema } from "../gen/google/rpc/error_details_pb.ts";
import { StartError } from "../serve/start-error.ts";
import { StoreRefusedError } from "../store/refusal.ts";
import { StoreError } from "../store/store-error.ts";
import { EXIT_FAILURE, EXIT_USAGE, UsageError } from "./exit.ts";

/**
 * What an error is told as, and the exit code that goes with it. A defect is told with its stack. To be loaded once there is
 * one: it knows the errors of every part.
 */
export function explainFailure(error: unknown): { readonly code: number; readonly message: string } {
  if (error instanceof UsageError || error instanceof ConfigError) return { code: EXIT_USAGE, message: error.message };
  if (error instanceof StartError || error instanceof StoreRefusedError)
    return { code: EXIT_FAILURE, message: error.message };
  if (error instanceof ConnectError) return explainRefusal(error);
  if (error instanceof StoreError || isSystemError(error)) return { code: EXIT_FAILURE, message: error.message };
  return { code: EXIT_FAILURE, message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}

/** What the system says of a file or socket: ENOSPC, EACCES. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error;
}

function explainRefusal(error: ConnectError): { code: number; message: string } {
  const violations = error.findDetails(BadRequestSchema).flatMap(({ fieldViolations }) => fieldViolations);
  if (violations.length > 0) {
    return {
      code: EXIT_USAGE,
      message: violations.map(({ field, description }) => `${field} ${description}`).join("\n  "),
    };
  }
  return { code: error.code === Code.InvalidArgument ? EXIT_USAGE : EXIT_FAILURE, message: error.rawMessage };
}
