import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import { isJudgeableMethod } from "../check/method.ts";
import { readPath } from "../check/path.ts";
import { nearest } from "../config/nearest.ts";
import { covers, isScope, isWildcard } from "../key/scope.ts";
import { holdsSecret } from "../key/secret.ts";
import type { RuleContext } from "./rule-context.ts";

// Each says what is wrong with a value, as a phrase that follows the field's name; undefined: nothing.

const MAX_PATH_LENGTH = 1_024;

/** A text that must not be empty. */
export function required(text: string): string | undefined {
  return text === "" ? "is required" : undefined;
}

/** A text of so many characters, code points of Unicode, at the most. */
export function atMost(text: string, bound: number): string | undefined {
  const length = [...text].length;
  return length > bound ? `has ${length} characters; it must have <= ${bound}` : undefined;
}

/** A text of one line, so long at the most. */
export function plainText(text: string, bound: number): string | undefined {
  return /\p{Cc}/u.test(text) ? "must hold no control characters" : atMost(text, bound);
}

/** A text of a form, or empty. */
export function matches(text: string, pattern: RegExp, form: string): string | undefined {
  return text === "" || pattern.test(text) ? undefined : `${quote(text)} must be ${form}`;
}

/** A list of so many items at the most. */
export function fewerThan(list: readonly unknown[], bound: number): string | undefined {
  return list.length > bound ? `has ${list.length} items; it must have <= ${bound}` : undefined;
}

/** A scope; where the configuration defines scopes, one of them, or a wildcard that covers one. */
export function scope(text: string, _: unknown, { definedScopes }: RuleContext): string | undefined {
  if (!isScope(text)) {
    return `${quote(text)} must be 1 to 128 visible ASCII characters without " \\ and ",", with "*" only as the whole last segment`;
  }
  const isKnown = isWildcard(text)
    ? text === "*" || definedScopes.some((defined) => covers(text, defined))
    : definedScopes.includes(text);
  if (definedScopes.length === 0 || isKnown) return undefined;
  const near = nearest(text, definedScopes);
  return `${quote(text)} is not among the scopes of the configuration${near === undefined ? "" : ` (did you mean ${quote(near)}?)`}`;
}

/** A path of a key: one that can be read in one way only, with or without `=` in front. */
export function openedPath(text: string): string | undefined {
  const path = text.startsWith("=") ? text.slice(1) : text;
  if (!path.startsWith("/")) return `${quote(text)} must begin with "/" or "=/"`;
  if (path.length > MAX_PATH_LENGTH) return `has ${path.length} characters; it must have <= ${MAX_PATH_LENGTH}`;
  if (path.endsWith("/") && path !== "/") return `${quote(text)} must not end with "/"`;
  if (path.includes("?") || readPath(path, true) === undefined)
    return `${quote(text)} can be read in more than one way`;
  return undefined;
}

/** A method with which a key opens. */
export function methodName(text: string): string | undefined {
  return isJudgeableMethod(text) ? undefined : `${quote(text)} must be a method name in upper case, and not CONNECT`;
}

/** A network from which a key opens: an address, or one with a prefix length and no bits beyond it. */
export function network(text: string): string | undefined {
  const [address = "", prefix] = text.split("/");
  // Node's own reading as well, with which the address of a request is compared: it has no octal and no hexadecimal.
  if (isIP(address) === 0 || !ipaddr.isValid(address) || address.includes("%"))
    return `${quote(text)} must be a network such as 10.0.0.0/8, or an address`;
  if (prefix === undefined) return undefined;
  if (!/^\d{1,3}$/.test(prefix) || !ipaddr.isValidCIDR(text)) return `${quote(text)} has no valid prefix length`;
  const family = address.includes(":") ? ipaddr.IPv6 : ipaddr.IPv4;
  const first = family.networkAddressFromCIDR(text).toString();
  return first === ipaddr.parse(address).toString()
    ? undefined
    : `${quote(text)} has bits beyond its prefix; write ${first}/${prefix}`;
}

/** Whether a text, or one of a list, has a key of ours in it: somebody pasted it into the wrong place. */
export function isPasted(value: unknown): boolean {
  return Array.isArray(value) ? value.some(isPasted) : typeof value === "string" && holdsSecret(value);
}

/** What the caller wrote, short enough for a sentence. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
