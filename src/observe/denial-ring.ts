import type { CheckContext } from "../check/context.ts";
import type { Denied } from "../check/decide.ts";
import type { ObservedRequest } from "../check/ports.ts";
import { REASON_NAMES, type Reason } from "../check/reason.ts";
import { withoutSecrets } from "./without-secrets.ts";

/** A denial that was not long ago. Texts that are not known, or that nobody sent, are empty. */
export interface RecentDenial {
  readonly decisionId: string;
  readonly atMs: number;
  readonly reason: Reason;
  readonly keyId: string;
  readonly method: string;
  /** Without its query. Long paths are cut, and words that may be secrets left out, as in the log. */
  readonly path: string;
  readonly host: string;
  readonly route: string;
  /** The client's address. */
  readonly address: string;
}

/** How many denials each check thread remembers: some minutes of what goes wrong, in 4 MiB at the most. */
export const RING_SLOTS = 4_096;

/** Where each text of a slot begins, and how many bytes of UTF-8 it may have: a byte tells how many it has. */
const TEXTS = {
  decisionId: { at: 16, length: 36 },
  keyId: { at: 53, length: 64 },
  method: { at: 118, length: 40 },
  path: { at: 159, length: 255 },
  host: { at: 415, length: 255 },
  route: { at: 671, length: 255 },
  address: { at: 927, length: 64 },
} as const;

type TextName = keyof typeof TEXTS;

const SLOT = { bytes: 1_024, version: 0, reason: 4, atMs: 8 };
/** Before the slots stands which one is next, in a cell of its own. */
const HEAD_BYTES = 1_024;

/** Makes the memory of one ring. The system gives it page by page, as slots are used. */
export function createRingBuffer(slots: number = RING_SLOTS): SharedArrayBuffer {
  return new SharedArrayBuffer(HEAD_BYTES + slots * SLOT.bytes);
}

/**
 * The denials that one check thread made last, in shared memory: that thread writes, any other may look. Writing takes
 * neither a message nor memory, and the oldest makes room. Holds no secrets: nothing that was presented is written.
 */
export class DenialRing {
  readonly #bytes: Buffer;
  readonly #cells: Int32Array;
  readonly #slots: number;

  constructor(buffer: SharedArrayBuffer) {
    this.#bytes = Buffer.from(buffer);
    this.#cells = new Int32Array(buffer);
    this.#slots = (buffer.byteLength - HEAD_BYTES) / SLOT.bytes;
  }

  /** Remembers a denial. For the thread alone to which the ring belongs. */
  write(
    { reason, record, rule }: Denied,
    request: ObservedRequest | undefined,
    { decisionId, nowMs }: CheckContext,
    address: string | undefined,
  ): void {
    const next = this.#cells[0] ?? 0;
    const start = this.#startOf(next);
    const version = (start + SLOT.version) / Int32Array.BYTES_PER_ELEMENT;
    // Odd while it is written, so that no reader takes it for whole; also where a thread died over it.
    const odd = (this.#cells[version] ?? 0) | 1;
    Atomics.store(this.#cells, version, odd);
    this.#bytes.writeUInt8(REASON_NAMES.indexOf(reason), start + SLOT.reason);
    this.#bytes.writeDoubleLE(nowMs, start + SLOT.atMs);
    this.#writeText(start, "decisionId", decisionId);
    this.#writeText(start, "keyId", record?.id);
    this.#writeText(start, "method", cleaned("method", request?.method));
    this.#writeText(start, "path", cleaned("path", pathOf(request?.target)));
    this.#writeText(start, "host", cleaned("host", request?.authority));
    this.#writeText(start, "route", rule?.route);
    this.#writeText(start, "address", cleaned("address", address));
    Atomics.store(this.#cells, version, odd + 1);
    this.#cells[0] = (next + 1) % this.#slots;
  }

  /** The denial with an id, or undefined where it is not remembered, or is overwritten at this very moment. */
  find(decisionId: string): RecentDenial | undefined {
    const { at, length } = TEXTS.decisionId;
    const wanted = Buffer.from(decisionId, "latin1");
    if (wanted.length !== length) return undefined;
    for (let slot = 0; slot < this.#slots; slot++) {
      const id = this.#startOf(slot) + at + 1;
      if (this.#bytes.compare(wanted, 0, length, id, id + length) !== 0) continue;
      const found = this.#read(slot);
      if (found?.decisionId === decisionId) return found;
    }
    return undefined;
  }

  #read(slot: number): RecentDenial | undefined {
    const start = this.#startOf(slot);
    const cell = (start + SLOT.version) / Int32Array.BYTES_PER_ELEMENT;
    const version = Atomics.load(this.#cells, cell);
    const copy = Buffer.from(this.#bytes.subarray(start, start + SLOT.bytes));
    if (version % 2 !== 0 || Atomics.load(this.#cells, cell) !== version) return undefined;
    const reason = REASON_NAMES[copy.readUInt8(SLOT.reason)];
    if (reason === undefined) return undefined;
    const texts = Object.entries(TEXTS).map(([name, { at }]) => {
      return [name, copy.toString("utf8", at + 1, at + 1 + copy.readUInt8(at))] as const;
    });
    return { ...(Object.fromEntries(texts) as Record<TextName, string>), atMs: copy.readDoubleLE(SLOT.atMs), reason };
  }

  #writeText(slot: number, name: TextName, text = ""): void {
    const { at, length } = TEXTS[name];
    this.#bytes.writeUInt8(this.#bytes.write(text, slot + at + 1, length, "utf8"), slot + at);
  }

  #startOf(slot: number): number {
    return HEAD_BYTES + slot * SLOT.bytes;
  }
}

function cleaned(name: TextName, text: string | undefined): string | undefined {
  return text && withoutSecrets(text, TEXTS[name].length);
}

function pathOf(target: string | undefined): string | undefined {
  const query = target?.indexOf("?") ?? -1;
  return query === -1 ? target : target?.slice(0, query);
}
