/** The issuer answers in milliseconds, or is in trouble. */
const TIMEOUT_MS = 5_000;

/** A set of keys is a few KiB. */
const MAX_BYTES = 256 * 1024;

/** After a failure nobody is asked for so long: strangers must not make us ask as often as they like. */
const PAUSE_MS = 5_000;

/** Makes a `fetch` for what an issuer publishes: bounded in time and size, no redirects, and with a pause after a failure. */
export function createIssuerFetch(): (url: string, options?: RequestInit) => Promise<Response> {
  let failedAtMs = Number.NEGATIVE_INFINITY;
  let failure: unknown;
  return async (url, options = {}) => {
    if (performance.now() - failedAtMs < PAUSE_MS)
      throw new Error("the issuer failed a moment ago", { cause: failure });
    try {
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const response = await fetch(url, { ...options, redirect: "error", signal });
      if (response.status !== 200) throw new Error(`${url} answered with ${response.status}`);
      return new Response(await bounded(response, url), { status: 200 });
    } catch (error) {
      failedAtMs = performance.now();
      failure = error;
      throw error;
    }
  };
}

async function bounded(response: Response, url: string): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.length;
    if (bytes > MAX_BYTES) throw new Error(`${url} answered with more than ${MAX_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}
