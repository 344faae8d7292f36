import { ruleFromExtensions } from "../policy/extensions.ts";
import type { Policy } from "../policy/policy.ts";
import type { Rule } from "../policy/rule.ts";
import type { AccessRequest } from "./access-request.ts";
import { type Denied, deny } from "./decide.ts";
import { readHost } from "./host.ts";
import { isJudgeableMethod } from "./method.ts";
import { readPath } from "./path.ts";

/** Where a request goes, and what is asked for there. The rule's access is `public` or `authenticated`. */
export interface Place {
  /** From `readPath`. */
  readonly path: string;
  readonly rule: Rule;
}

/** The part of a request that says where it goes. */
export type Destination = Pick<AccessRequest, "method" | "authority" | "target" | "bytesKnown" | "extensions">;

/**
 * Finds where a request goes, before anybody looks at what it presents; or refuses it, because that can be read in more
 * than one way or is closed.
 */
export function findPlace(request: Destination, policy: Policy): Place | Denied {
  if (!isJudgeableMethod(request.method)) return deny("malformed_request");
  const host = request.authority === undefined ? undefined : readHost(request.authority);
  if (host === undefined) return deny("ambiguous_host");
  const path = request.target === undefined ? undefined : readPath(request.target, request.bytesKnown);
  if (path === undefined) return deny("ambiguous_path");
  if (host === "" && policy.needsHost(request.method, path)) return deny("ambiguous_host");
  const rule = ruleOf(request, policy, host, path);
  if (rule === undefined) return deny("misconfigured_route");
  return rule.access === "deny" ? deny("route_denied", rule) : { path, rule };
}

/** The rule of the request's own route where Envoy sent one, else the configuration's; undefined if it is not sound. */
function ruleOf({ extensions, method }: Destination, policy: Policy, host: string, path: string): Rule | undefined {
  return extensions.length > 0 ? ruleFromExtensions(extensions) : policy.ruleFor(method, host, path);
}
