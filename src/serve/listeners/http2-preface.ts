/** What an HTTP/2 client says first (RFC 9113 §3.4). No request of HTTP/1.1 begins like it. */
const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/** Whether a connection speaks HTTP/2, by its first bytes; undefined: too few of them to tell. */
export function speaksHttp2(bytes: Buffer): boolean | undefined {
  const length = Math.min(bytes.length, PREFACE.length);
  if (bytes.compare(PREFACE, 0, length, 0, length) !== 0) return false;
  return length === PREFACE.length ? true : undefined;
}
