import { ConnectionError } from "./connection-error.ts";
import { type Field, KIND } from "./field.ts";

/** How many times larger than the limit a list may be and still cost only the request, not the connection. */
const ABSURD_FACTOR = 4;

/**
 * What one header block says: a request's head, or its trailers. It is used again for each block, so nothing that it
 * shows may be kept.
 */
export class RequestHead {
  method = "";
  path = "";
  contentType = "";
  /** The length that the body is to have, or -1 where none is told. */
  contentLength = -1;
  /** Fields without a meaning here, in their order. */
  readonly others: Field[] = [];
  /** RFC 9113 §6.5.2: names, values and 32 bytes each. */
  listBytes = 0;
  readonly #maxListBytes: number;
  #isMalformed = false;
  #pseudo = 0;
  #hasRegular = false;

  constructor(maxListBytes: number) {
    this.#maxListBytes = maxListBytes;
  }

  /** Whether there was more than is looked at; what stands here is then incomplete. */
  get isTooLarge(): boolean {
    return this.listBytes > this.#maxListBytes;
  }

  /** Whether this is the head of a request (RFC 9113 §8.3.1). CONNECT, which has no path, is not served. */
  get isRequest(): boolean {
    return !this.#isMalformed && (this.#pseudo & REQUIRED) === REQUIRED;
  }

  /** Whether these are trailers: no pseudo-header may be among them (RFC 9113 §8.1). */
  get isTrailers(): boolean {
    return !this.#isMalformed && this.#pseudo === 0;
  }

  /** Forgets the block before. */
  reset(): void {
    this.method = "";
    this.path = "";
    this.contentType = "";
    this.contentLength = -1;
    if (this.others.length > 0) this.others.length = 0;
    this.listBytes = 0;
    this.#isMalformed = false;
    this.#pseudo = 0;
    this.#hasRegular = false;
  }

  /**
   * Takes the next field. Throws ConnectionError where the list has become absurdly large: fields that stand in a table
   * take a byte each, so that even reading over them is work that a peer could ask for at no cost.
   */
  add(field: Field): void {
    this.listBytes += field.size;
    if (this.listBytes > this.#maxListBytes) {
      this.#skip();
      return;
    }
    const { kind } = field;
    if (kind >= KIND.method && kind <= KIND.path) {
      this.#addPseudo(kind, field.value);
      return;
    }
    this.#hasRegular = true;
    if (kind === KIND.contentType) this.contentType = field.value;
    else if (kind === KIND.other) this.others.push(field);
    else if (kind === KIND.contentLength) this.#addContentLength(Number(field.value));
    else if (kind === KIND.forbidden) this.#isMalformed = true;
  }

  /** Each at most once, and none behind a regular field (RFC 9113 §8.3). */
  #addPseudo(kind: number, value: string): void {
    const bit = 1 << kind;
    if (this.#hasRegular || this.#pseudo & bit) this.#isMalformed = true;
    this.#pseudo |= bit;
    if (kind === KIND.path) this.path = value;
    else if (kind === KIND.method) this.method = value;
  }

  #addContentLength(length: number): void {
    if (this.contentLength !== -1 && this.contentLength !== length) this.#isMalformed = true;
    this.contentLength = length;
  }

  #skip(): void {
    if (this.listBytes > this.#maxListBytes * ABSURD_FACTOR) {
      throw new ConnectionError("enhanceYourCalm", "a header list many times larger than was offered");
    }
  }
}

const REQUIRED = (1 << KIND.method) | (1 << KIND.scheme) | (1 << KIND.path);
