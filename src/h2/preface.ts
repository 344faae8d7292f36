import { ConnectionError } from "./connection-error.ts";

/** What every HTTP/2 client says first (RFC 9113 §3.4). */
export const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/** For people with curl: the port does not speak what their client speaks. */
export const HTTP1_ANSWER = Buffer.from(
  "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\ncontent-length: 41\r\nconnection: close\r\n\r\n" +
    "This port serves gRPC over HTTP/2 only.\r\n",
  "latin1",
);

/** How a request of HTTP/1.1 begins. */
const HTTP1_METHODS = ["GET ", "HEAD ", "POST ", "PUT ", "DELETE ", "OPTIONS ", "PATCH "];

/** Waits for the preface, in however many pieces it comes. */
export class Preface {
  #seen = 0;

  /** Whether nothing has come at all. */
  get isUntouched(): boolean {
    return this.#seen === 0;
  }

  /** Whether all of it is there. */
  get isComplete(): boolean {
    return this.#seen === PREFACE.length;
  }

  /** Takes a chunk and returns what stands in it behind the preface. Throws ConnectionError for anything else. */
  push(chunk: Buffer): Buffer {
    const count = Math.min(chunk.length, PREFACE.length - this.#seen);
    if (PREFACE.compare(chunk, 0, count, this.#seen, this.#seen + count) !== 0) {
      const isHttp1 = this.#seen === 0 && HTTP1_METHODS.includes(chunk.toString("latin1", 0, chunk.indexOf(" ") + 1));
      throw new ConnectionError(isHttp1 ? "http11Required" : "protocol", isHttp1 ? "HTTP/1.1" : "no HTTP/2 preface");
    }
    this.#seen += count;
    return chunk.subarray(count);
  }
}
