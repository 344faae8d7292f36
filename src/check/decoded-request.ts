import type { Extension } from "../policy/extensions.ts";
import type { AccessRequest, Header } from "./access-request.ts";
import type { Latin1 } from "./latin1.ts";

/** The request as the messages on the way down tell it. */
export class DecodedRequest implements AccessRequest {
  method = "";
  authority: string | undefined = "";
  target: string | undefined = "";
  bytesKnown = false;
  headersFiltered = false;
  headers: Header[] = [];
  readonly identitySpellings: string[] = [];
  readonly extensions: Extension[] = [];
  readonly #bytes: Uint8Array;
  readonly #latin1: Latin1;
  source: Span | undefined;
  agent: Span | undefined;

  constructor(bytes: Uint8Array, latin1: Latin1) {
    this.#bytes = bytes;
    this.#latin1 = latin1;
  }

  /** Made into text each time that somebody asks, of the bytes that were read: not to be asked for once they are used again. */
  get sourceAddress(): string | undefined {
    return this.source && this.#latin1(this.#bytes, this.source.start, this.source.end);
  }

  /** As above; most checks never ask. */
  get userAgent(): string | undefined {
    return this.agent && this.#latin1(this.#bytes, this.agent.start, this.agent.end);
  }
}

/** A part of the message. */
export interface Span {
  readonly start: number;
  readonly end: number;
}
