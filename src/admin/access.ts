import { Code, createContextKey, type Interceptor } from "@connectrpc/connect";
import type { Log } from "../observe/log.ts";
import type { AdminKeys } from "../store/admin-keys.ts";
import { METHOD_ACCESS } from "./admin-scope.ts";
import { authenticate, kCaller, LOCAL_CALLER } from "./caller.ts";
import { apiError, asApiError, invalidArgument } from "./errors.ts";
import type { RuleContext } from "./rules/rule-context.ts";
import { violationsIn } from "./rules/rules.ts";
import { refuseWholeProgram } from "./tenancy.ts";

/** Where a call comes from: the local admin socket, or an address. */
export const kPeer = createContextKey<{ readonly local: boolean; readonly address: string }>({
  local: false,
  address: "",
});

/**
 * Lets a call through only to a method that is listed, and only for a caller who has what the list asks and, where they are
 * bound to a tenant, finds something of it there.
 */
export function accessInterceptor(store: AdminKeys): Interceptor {
  return (next) => async (request) => {
    const method = `${request.service.typeName}.${request.method.name}`;
    const needed = METHOD_ACCESS[method];
    if (needed === undefined)
      throw apiError(Code.PermissionDenied, "METHOD_CLOSED", `${method} is not open to anybody`);
    if (needed !== "open") {
      const { local, address } = request.contextValues.get(kPeer);
      const caller = local ? LOCAL_CALLER : authenticate(request.header.get("authorization"), address, store);
      refuseWholeProgram(request.service.typeName, caller);
      if (needed !== "any admin key" && !caller.scopes.includes(needed)) {
        const message = `this needs the admin scope ${needed}; you have ${caller.scopes.join(", ") || "none"}`;
        throw apiError(Code.PermissionDenied, "MISSING_SCOPE", message, { required: needed });
      }
      request.contextValues.set(kCaller, caller);
    }
    return next(request);
  };
}

/** Refuses a request that breaks a bound of its proto comments, with all that is wrong with it. */
export function rulesInterceptor(settings: Omit<RuleContext, "nowMs">): Interceptor {
  return (next) => async (request) => {
    if (!request.stream) {
      const violations = violationsIn(request.method.input, request.message, { ...settings, nowMs: Date.now() });
      if (violations.length > 0) throw invalidArgument(violations);
    }
    return next(request);
  };
}

/** Turns whatever is thrown into an error of the API; what was no refusal of ours goes to the log. */
export function errorInterceptor(log: Log): Interceptor {
  return (next) => async (request) => {
    try {
      return await next(request);
    } catch (error) {
      const answer = asApiError(error);
      if (answer.code === Code.Internal || answer.code === Code.Unavailable) {
        const fields = {
          method: request.method.name,
          error: error instanceof Error ? (error.stack ?? error.message) : String(error),
        };
        log("error", "an admin call failed", fields);
      }
      throw answer;
    }
  };
}
