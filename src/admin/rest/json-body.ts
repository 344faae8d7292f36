import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";

/** Why a body is none that can be read. */
export interface NoJsonBody {
  readonly status: 400 | 413 | 415;
  readonly problem: string;
}

/** Far more than a name of 200 characters and 100 scopes take. */
const MAX_BODY_BYTES = 128 * 1024;

/** RFC 8259 §8.1: JSON that leaves its system is UTF-8, and what is not is no text at all. */
const UTF8 = new TextDecoder("utf-8", { fatal: true });

/** Reads the body of a request as JSON; `value` is undefined where there is no body. Rejects where the caller goes away. */
export async function readJsonBody(
  request: IncomingMessage | Http2ServerRequest,
): Promise<{ readonly value: unknown } | NoJsonBody> {
  const bytes = await readBytes(request);
  if (bytes === undefined) return { status: 413, problem: `the body must have <= ${MAX_BODY_BYTES} bytes` };
  if (bytes.length === 0) return { value: undefined };
  const { "content-type": type = "", "content-encoding": encoding = "identity" } = request.headers;
  if (!/^application\/json *(;|$)/i.test(type) || encoding !== "identity") {
    return {
      status: 415,
      problem: "the body must be JSON, with content-type: application/json and no content-encoding",
    };
  }
  try {
    return { value: JSON.parse(UTF8.decode(bytes)) };
  } catch {
    // What a parser says of it may quote a key.
    return { status: 400, problem: "the body is not JSON" };
  }
}

/** Undefined: there are too many. */
async function readBytes(request: IncomingMessage | Http2ServerRequest): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request.iterator({ destroyOnReturn: false })) {
    length += part.length;
    if (length > MAX_BODY_BYTES) break;
    parts.push(part);
  }
  if (length <= MAX_BODY_BYTES) return Buffer.concat(parts);
  // The rest is let go by: on a connection that nobody reads the end would not be seen either.
  request.resume();
  return undefined;
}
