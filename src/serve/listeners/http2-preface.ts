import { PREFACE } from "../../h2/preface.ts";

/**
 * Whether a connection speaks HTTP/2, by its first bytes; undefined: too few of them to tell. No request of
 * HTTP/1.1 begins like the preface.
 */
export function speaksHttp2(bytes: Buffer): boolean | undefined {
  const length = Math.min(bytes.length, PREFACE.length);
  if (bytes.compare(PREFACE, 0, length, 0, length) !== 0) return false;
  return length === PREFACE.length ? true : undefined;
}
