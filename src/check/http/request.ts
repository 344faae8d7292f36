import type { AccessRequest, Header } from "../access-request.ts";
import { FORWARDED_FOR } from "../client-address.ts";
import { readHost } from "../host.ts";
import type { WatchedHeaders } from "../watched.ts";
import { trim } from "../white-space.ts";
import type { Dialect, DialectName } from "./dialects.ts";

/** An HTTP request that asks, as it came. Texts hold one character a byte. */
export interface HttpRequest {
  /** In which it asks. */
  readonly dialect: DialectName;
  readonly method: string;
  /** The request target. */
  readonly url: string;
  /** Name and value in turn, all that were sent; one that came twice is there twice. */
  readonly rawHeaders: readonly string[];
}

/**
 * Makes the reader of a dialect's requests. It returns undefined where the original method or URI is not told, or is told
 * twice. A host that is told twice is undefined, since that has a reason of its own; an address that is, is not known.
 */
export function createHttpDecode(
  dialect: Dialect,
  watched: WatchedHeaders,
  trustedHops: number,
): (request: HttpRequest) => AccessRequest | undefined {
  const { original } = dialect;
  const addressHeader = dialect.address === "x-real-ip" ? "x-real-ip" : FORWARDED_FOR;
  const names = {
    credentials: new Set(watched.credentials),
    told: new Set([...Object.values(original ?? { host: "host" }), addressHeader, "user-agent"]),
  };

  return (request) => {
    const { headers, told } = readHeaders(request.rawHeaders, names);
    const place = original === undefined ? ownPlace(dialect, request, told) : toldPlace(original, told);
    if (place === undefined) return undefined;
    return {
      ...place,
      bytesKnown: original !== undefined,
      headersFiltered: dialect.removesHeaders === true,
      sourceAddress: addressOf(dialect.address, told.get(addressHeader) ?? [], trustedHops),
      userAgent: told.get("user-agent")?.at(-1),
      headers,
      // Where headers are not removed one by one, the gateway takes off all that begin like ours.
      identitySpellings: [],
      extensions: [],
    };
  };
}

/** The values of headers by their names in lower case, each as often as it came. */
type Told = ReadonlyMap<string, readonly string[]>;

type Place = Pick<AccessRequest, "method" | "authority" | "target">;

function readHeaders(
  rawHeaders: readonly string[],
  names: { readonly credentials: ReadonlySet<string>; readonly told: ReadonlySet<string> },
): { headers: readonly Header[]; told: Told } {
  const headers: Header[] = [];
  const told = new Map<string, string[]>();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? "").toLowerCase();
    const value = rawHeaders[index + 1] ?? "";
    if (names.credentials.has(name)) headers.push({ name, value });
    if (!names.told.has(name)) continue;
    const before = told.get(name);
    if (before === undefined) told.set(name, [value]);
    else before.push(value);
  }
  return { headers, told };
}

function ownPlace({ path }: Dialect, { method, url }: HttpRequest, told: Told): Place {
  return { method, authority: hostOf(told.get("host")), target: url.slice(path.length) };
}

function toldPlace(names: NonNullable<Dialect["original"]>, told: Told): Place | undefined {
  const method = onlyOne(told.get(names.method));
  const uri = onlyOne(told.get(names.uri));
  if (!method || !uri || isFolded(uri)) return undefined;
  if (names.host !== undefined) return { method, authority: hostOf(told.get(names.host)), target: uri };
  const scheme = uri.startsWith("http://") ? "http://" : "https://";
  const slash = uri.indexOf("/", scheme.length);
  if (!uri.startsWith(scheme) || slash === -1) return undefined;
  const authority = uri.slice(scheme.length, slash);
  const chosen = names.chosenHost === undefined ? undefined : told.get(names.chosenHost);
  return { method, authority: isChosen(authority, chosen) ? authority : undefined, target: uri.slice(slash) };
}

/** Whether an authority names the host that was chosen. Where none is told, there is nothing to go by. */
function isChosen(authority: string, chosen: readonly string[] | undefined): boolean {
  if (chosen === undefined) return true;
  const host = onlyOne(chosen);
  return host !== undefined && readHost(authority) === readHost(host);
}

/** None is an empty one, as in a CheckRequest: rules that name a host ask for it. */
function hostOf(values: readonly string[] = []): string | undefined {
  return values.length === 0 ? "" : onlyOne(values);
}

function onlyOne(values: readonly string[] = []): string | undefined {
  return values.length === 1 ? values[0] : undefined;
}

/**
 * Whether a URI may be two that somebody has folded into one header (RFC 9110 §5.3), one of which the client may have sent.
 * A comma alone is a character of paths; with white space behind it, no path is left.
 */
function isFolded(uri: string): boolean {
  return uri.includes(",/") || uri.includes(",http");
}

/**
 * Envoy has appended its peer to X-Forwarded-For (`use_remote_address: true`), as in a CheckRequest. What stands left of the
 * trusted hops is the client's own word.
 */
function addressOf(from: Dialect["address"], values: readonly string[], trustedHops: number): string | undefined {
  if (from === "x-real-ip") return onlyOne(values);
  const hops = values.flatMap((value) => value.split(","));
  const hop = hops.at(from === "last of x-forwarded-for" ? -1 : -1 - trustedHops);
  return hop && trim(hop);
}
