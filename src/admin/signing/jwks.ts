import { createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Log } from "../../observe/log.ts";
import type { SigningKeys, StoredSigningKey } from "../../store/signing-keys.ts";
import { publicMembers } from "./public-jwk.ts";

/** What requests of HTTP/1.1 and HTTP/2 have in common, and what their answers have. */
interface Request {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
}
interface Response {
  statusCode: number;
  setHeader(name: string, value: string | number): unknown;
  end(body: string): unknown;
}

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly body?: string;
}

/** Where verifiers look for it by habit. */
const PATH = "/.well-known/jwks.json";

/**
 * Five minutes: as long as a signing key that was withdrawn is trusted by caches that obey this. A new one needs no wait:
 * verifiers that meet an unknown `kid` ask again.
 */
const CACHE_CONTROL = "public, max-age=300";

/**
 * Answers GET and HEAD of `/.well-known/jwks.json` with the public halves of the signing keys (RFC 7517 §5): those in use,
 * and those that have signed a token which has not ended. Nobody is asked for an admin key: it is made to be given away.
 * Any other path is 404.
 */
export function createJwksHandler(store: Pick<SigningKeys, "publishedSigningKeys">, log: Log) {
  const answerTo = ({ method, url, headers }: Request): Answer => {
    if (url?.split("?", 1)[0] !== PATH) return { status: 404 };
    if (method !== "GET" && method !== "HEAD") return { status: 405, headers: { allow: "GET, HEAD" } };
    let body: string;
    try {
      body = JSON.stringify({ keys: store.publishedSigningKeys(Date.now()).map(publishedJwk) });
    } catch (error) {
      log("error", "the signing keys cannot be read", { error: String(error) });
      return { status: 503, headers: { "cache-control": "no-store" } };
    }
    const etag = `"${createHash("sha256").update(body).digest("base64url")}"`;
    const validators = { etag, "cache-control": CACHE_CONTROL };
    if (isKnown(headers["if-none-match"], etag)) return { status: 304, headers: validators };
    const content = { "content-type": "application/jwk-set+json", "content-length": Buffer.byteLength(body) };
    return { status: 200, headers: { ...validators, ...content }, body };
  };
  return (request: Request, response: Response): void => {
    const { status, headers = {}, body = "" } = answerTo(request);
    response.statusCode = status;
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    response.end(request.method === "HEAD" ? "" : body);
  };
}

function publishedJwk({ kid, alg, publicJwk }: StoredSigningKey): Record<string, string> {
  return { kid, alg, use: "sig", ...publicMembers(publicJwk) };
}

/** Whether the caller has it already; compared weakly (RFC 9110 §13.1.2). */
function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  const known = ifNoneMatch?.split(",").map((tag) => tag.trim().replace(/^W\//, "")) ?? [];
  return known.includes(etag) || known.includes("*");
}
