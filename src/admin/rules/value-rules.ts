import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import { isJudgeableMethod } from "../../check/method.ts";
import { readPath } from "../../check/path.ts";
import { nearest } from "../../config/nearest.ts";
import { isOwner, OWNER_FORM } from "../../key/owner.ts";
import { isAmong, isScope } from "../../key/scope.ts";
import { holdsSecret } from "../../key/secret.ts";
import { isSigningAlg, SIGNING_ALGS } from "../../key/signing-alg.ts";
import { isTenant, TENANT_FORM } from "../../key/tenant.ts";
import { MAX_TOKEN_LENGTH } from "../../key/token.ts";
import type { RuleContext } from "./rule-context.ts";

// Each says what is wrong with a value, as a phrase that follows the field's name; undefined: nothing.

const MAX_PATH_LENGTH = 1_024;
const MAX_NAME_LENGTH = 200;
const MAX_SCOPES = 100;
/** A whole admin key, the longest name that one has, is 55 characters. */
const MAX_ADMIN_KEY_NAME_LENGTH = 100;

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
export function matches(text: string, pattern: Pick<RegExp, "test">, form: string): string | undefined {
  return text === "" || pattern.test(text) ? undefined : `${quote(text)} must be ${form}`;
}

/** What people call something, on one line. */
export function name(text: string): string | undefined {
  return plainText(text, MAX_NAME_LENGTH);
}

/** How a call names a key; a whole signed key is the longest name that it has. */
export function keyName(key: string): string | undefined {
  return required(key) ?? atMost(key, MAX_TOKEN_LENGTH);
}

/** How a call names an admin key. */
export function adminKeyName(key: string): string | undefined {
  return required(key) ?? atMost(key, MAX_ADMIN_KEY_NAME_LENGTH);
}

/** What signs a key, or nothing said. */
export function signingAlg(alg: string): string | undefined {
  return matches(alg, { test: isSigningAlg }, `one of ${SIGNING_ALGS.join(", ")}`);
}

/** A tenant, or none. */
export function tenantName(tenant: string): string | undefined {
  return matches(tenant, { test: isTenant }, TENANT_FORM);
}

/** An owner, or none. */
export function ownerName(owner: string): string | undefined {
  return matches(owner, { test: isOwner }, OWNER_FORM);
}

/** A list of so many items at the most. */
export function fewerThan(list: readonly unknown[], bound: number): string | undefined {
  return list.length > bound ? `has ${list.length} items; it must have <= ${bound}` : undefined;
}

/** A scope; where the configuration defines scopes, one of them, or a wildcard that covers one. */
function scope(text: string, _: unknown, { definedScopes }: RuleContext): string | undefined {
  if (!isScope(text)) {
    return `${quote(text)} must be 1 to 128 visible ASCII characters without " \\ and ",", with "*" only as the whole last segment`;
  }
  if (isAmong(text, definedScopes)) return undefined;
  const near = nearest(text, definedScopes);
  return `${quote(text)} is not among the scopes of the configuration${near === undefined ? "" : ` (did you mean ${quote(near)}?)`}`;
}

/** A list of scopes; one that stands twice counts once. */
export const scopeList = { list: (scopes: string[]) => fewerThan([...new Set(scopes)], MAX_SCOPES), each: scope };

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
  if (typeof value === "string") return holdsSecret(value);
  // A list of texts, or a map; of a map the names as well.
  return typeof value === "object" && value !== null && Object.entries(value).flat().some(isPasted);
}

/** What the caller wrote, short enough for a sentence. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
