import type { DescMessage } from "@bufbuild/protobuf";
import { Code, createContextKey, type Interceptor } from "@connectrpc/connect";
import { ErrorInfoSchema } from "../gen/google/rpc/error_details_pb.ts";
import type { Log } from "../observe/log.ts";
import { METHOD_ACCESS } from "./admin-scope.ts";
import { type Caller, kCaller, LOCAL_CALLER } from "./caller.ts";
import { apiError, asApiError, ISSUER_UNAVAILABLE, invalidArgument } from "./errors.ts";
import type { Login } from "./login/login.ts";
import { kPeer, type Peer } from "./login/peer.ts";
import type { RuleContext } from "./rules/rule-context.ts";
import { violationsIn } from "./rules/rules.ts";
import { refuseBeyondOwnKeys, refuseWholeProgram } from "./tenancy.ts";

/** The only tenant that the call in progress is about, where its path names one. */
export const kWithin = createContextKey<string | undefined>(undefined);

/**
 * Lets a call through only to a method that is listed, and only for a caller who has what the list asks and, where they are
 * bound to a tenant, finds something of it there.
 */
export function accessInterceptor(login: Login): Interceptor {
  return (next) => async (request) => {
    const { service, method, header, contextValues } = request;
    const authorization = header.get("authorization");
    const caller = await admit(service.typeName, method.name, authorization, contextValues.get(kPeer), login);
    const within = contextValues.get(kWithin);
    if (caller !== undefined) contextValues.set(kCaller, within === undefined ? caller : { ...caller, within });
    return next(request);
  };
}

/** The caller of a method, who may call it; undefined where it is open to everybody. Rejects with what the access check says. */
export async function admit(
  service: string,
  name: string,
  authorization: string | null,
  peer: Peer,
  login: Login,
): Promise<Caller | undefined> {
  const method = `${service}.${name}`;
  const needed = METHOD_ACCESS[method];
  if (needed === undefined) throw apiError(Code.PermissionDenied, "METHOD_CLOSED", `${method} is not open to anybody`);
  if (needed === "open") return undefined;
  const caller = peer.local ? LOCAL_CALLER : await login(authorization, peer);
  refuseWholeProgram(service, caller);
  refuseBeyondOwnKeys(method, caller);
  if (needed !== "any admin key" && !caller.scopes.includes(needed)) {
    const message = `this needs the admin scope ${needed}; you have ${caller.scopes.join(", ") || "none"}`;
    throw apiError(Code.PermissionDenied, "MISSING_SCOPE", message, { required: needed });
  }
  return caller;
}

/** Refuses a request that breaks a bound of its proto comments, with all that is wrong with it. */
export function rulesInterceptor(settings: Omit<RuleContext, "nowMs" | "callerOwner">): Interceptor {
  const judge = <Message extends object>(schema: DescMessage, message: Message, caller?: Caller): Message => {
    const violations = violationsIn(schema, message, { ...settings, nowMs: Date.now(), callerOwner: caller?.owner });
    if (violations.length > 0) throw invalidArgument(violations);
    return message;
  };
  return (next) => async (request) => {
    const { input } = request.method;
    const caller = request.contextValues.get(kCaller);
    if (request.stream) {
      return next({ ...request, message: each(request.message, (message) => judge(input, message, caller)) });
    }
    judge(input, request.message, caller);
    return next(request);
  };
}

/** Turns whatever is thrown into an error of the API; what was no refusal of ours goes to the log. */
export function errorInterceptor(log: Log): Interceptor {
  const toldOf = (method: string, error: unknown) => {
    const answer = asApiError(error);
    const isTold = answer.findDetails(ErrorInfoSchema).some(({ reason }) => reason === ISSUER_UNAVAILABLE);
    if (!isTold && (answer.code === Code.Internal || answer.code === Code.Unavailable)) {
      const fields = { method, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
      log("error", "an admin call failed", fields);
    }
    return answer;
  };
  return (next) => async (request) => {
    const { name } = request.method;
    try {
      const response = await next(request);
      if (!response.stream) return response;
      // A stream may fail after it has begun.
      return { ...response, message: failingAs(response.message, (error) => toldOf(name, error)) };
    } catch (error) {
      throw toldOf(name, error);
    }
  };
}

async function* each<Item>(items: AsyncIterable<Item>, change: (item: Item) => Item): AsyncIterable<Item> {
  for await (const item of items) yield change(item);
}

async function* failingAs<Item>(items: AsyncIterable<Item>, told: (error: unknown) => unknown): AsyncIterable<Item> {
  try {
    yield* items;
  } catch (error) {
    throw told(error);
  }
}
