import type { Reading } from "./reading.ts";

/** Longer names serve nobody, and each is sent to the back end with every request. */
const MAX_NAME_LENGTH = 64;

/** A token of RFC 9110 §5.6.2, in lower case as HTTP/2 writes names (RFC 9113 §8.2.1). */
const LOWER_CASE_TOKEN = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;

/** Names that HTTP, proxies or Keyward itself give a meaning: an identity written there would change another thing. */
const RESERVED: ReadonlySet<string> = new Set([
  ...["host", "authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "www-authenticate"],
  ...["connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"],
  ...["content-length", "content-type", "content-encoding", "expect", "date", "via", "forwarded", "x-request-id"],
  ...["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-port", "x-real-ip"],
  ...["x-keyward-decision-id", "x-keyward-reason", "x-keyward-key-expires-in"],
]);

/** What a name for an identity header has to be, as a phrase that follows "must be". */
export const HEADER_NAME_BOUND = `a lower-case HTTP token of 1 to ${MAX_NAME_LENGTH} characters that has no meaning of its own`;

/** Reads the name of an identity header. A spelling of a reserved name with `_` or `.` for `-` is reserved as well. */
export function readHeaderName(text: string): Reading<string> {
  if (text.length > MAX_NAME_LENGTH || !LOWER_CASE_TOKEN.test(text)) return { problem: `must be ${HEADER_NAME_BOUND}` };
  const spelling = commonSpelling(text);
  if (RESERVED.has(spelling)) return { problem: "must not be a header that has a meaning of its own" };
  if (spelling.startsWith("x-envoy-")) return { problem: "must not begin with x-envoy-, which Envoy keeps for itself" };
  return { value: text };
}

/** The one spelling of all that some back ends read as the same name: CGI and its heirs turn `-` and `.` into `_`. */
export function commonSpelling(name: string): string {
  return name.replaceAll(/[_.]/g, "-");
}
