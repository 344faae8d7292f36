import type { Read } from "./reading.ts";

/** What a request has to be like, to be let through at all; the judge knows nothing of how Keyward finds out. */
export interface Presented {
  /** The only key. It has the scope `a` and belongs to the tenant `acme`. */
  readonly secret: string;
  /** From where it opens. */
  readonly address: string;
}

/**
 * Whether a request may be let through, for everybody or because of the key: what is not told here must be denied. The
 * routes are those of `ROUTES`. Where it says yes, Keyward may still have its doubts.
 */
export function mayPass(request: Read, { secret, address }: Presented): "public" | "key" | undefined {
  const { method, host, path: target, headers } = request;
  const told = (name: string) => headers.filter(([one]) => one.toLowerCase() === name).map(([, value]) => value);
  if (!/^[A-Z][A-Z_-]*$/.test(method) || method === "CONNECT" || /[^!-~]|[,@%]/.test(host)) return undefined;
  const repeated = { ":method": method, ":path": target, ":authority": host };
  if (Object.entries(repeated).some(([name, value]) => told(name).some((other) => other !== value))) return undefined;
  const [path = ""] = target.split("?", 1);
  if (!isPlain(path) || (path.includes("!") && !request.bytesKnown)) return undefined;
  const asks = askedAt(path, request.extensions);
  if (asks === "public" || asks === "deny") return asks === "public" ? asks : undefined;
  const texts = presentedIn(request);
  return texts.length > 0 && texts.every((text) => text === secret) && request.address === address ? "key" : undefined;
}

/** The routes by which the judge judges. */
export const ROUTES = [
  { path: "/open", access: "public" },
  { path: "/closed/**", access: "deny" },
  { path: "/v1/admin", scopes: ["b"] },
  { path: "/v1/**", scopes: ["a"] },
] as const;

/** All that is presented as a key; with a text beside it that is no key, where what carries it is there twice. */
export function presentedIn({ headers, path }: Pick<Read, "headers" | "path">): readonly string[] {
  const told = (name: string) => headers.filter(([one]) => one.toLowerCase() === name).map(([, value]) => value);
  const parts = (name: string) =>
    told(name).flatMap((value) => value.split(",").map((part) => part.replace(/^[ \t]+|[ \t]+$/g, "")));
  const credentials = parts("authorization").map((part) => /^(?:bearer|apikey)(?:[ \t]+(.*))?$/is.exec(part));
  const pairs = told("cookie").flatMap((value) => value.split(/[;,]/));
  const cookies = pairs.flatMap((pair) => /^[ \t]*api_key[ \t]*=(.*?)[ \t]*$/s.exec(pair)?.[1] ?? []);
  const query = path.includes("?") ? path.slice(path.indexOf("?") + 1) : "";
  return [
    ...onlyOne(credentials.some((found) => found !== null) ? credentials.map((found) => found?.[1] ?? "") : []),
    ...onlyOne(parts("x-api-key")),
    ...onlyOne(cookies.length > 0 && told("cookie").length > 1 ? [...cookies, ""] : cookies),
    ...onlyOne(new URLSearchParams(query).getAll("api_key")),
  ];
}

function onlyOne(texts: readonly string[]): readonly string[] {
  return texts.length > 1 ? [...texts, ""] : texts;
}

function askedAt(path: string, extensions: Read["extensions"]): "public" | "deny" | "key" {
  const ours = Object.entries(extensions).filter(([name]) => name.toLowerCase().startsWith("keyward."));
  if (ours.length > 0) return askedBy(Object.fromEntries(ours), ours.length);
  if (path.replace(/%[46][0-9a-f]|%[57][0-9a]/gi, decodeURIComponent) === "/open") return "public";
  const loose = decodeURIComponent(path).toLowerCase().replace(/\/$/, "");
  if (loose === "/v1/admin" || loose === "/closed" || loose.startsWith("/closed/")) return "deny";
  return loose === "/v1" || loose.startsWith("/v1/") ? "key" : "deny";
}

function askedBy(extensions: Readonly<Record<string, string>>, count: number): "public" | "deny" | "key" {
  const {
    "keyward.access": access,
    "keyward.scopes": scopes,
    "keyward.match": match,
    "keyward.tenant": tenant,
  } = extensions;
  if (access === "public") return count === 1 ? "public" : "deny";
  const known = [access, scopes, match, tenant].filter((value) => value !== undefined).length;
  const needed = scopes?.split(" ") ?? [];
  const isEnough = match === "all" ? needed.every((one) => one === "a") : scopes === undefined || needed.includes("a");
  const isSound = known === count && (access ?? "authenticated") === "authenticated";
  return isSound && isEnough && (tenant ?? "acme") === "acme" ? "key" : "deny";
}

/** Whether every program reads the path in one way. */
function isPlain(path: string): boolean {
  if (!/^\/(?:[!-~]|%[0-9a-f]{2})*$/i.test(path) || /[\\;#]|\/\/|\/\.{1,2}(?:\/|$)/.test(path)) return false;
  if (/%(?![0-9a-f]{2})|%(?:2f|5c|2e|25|3b|3f|23|7f|[01].)/i.test(path)) return false;
  try {
    return decodeURIComponent(path) !== "";
  } catch {
    return false;
  }
}
