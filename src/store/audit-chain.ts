import { createHash } from "node:crypto";

/** What of an event its hash covers, in the order in which it does. */
export interface ChainedFields {
  /** The first event is 1, and each has one more than the one before. */
  readonly seq: number;
  /** The store's revision after it. */
  readonly revision: number;
  readonly atMs: number;
  readonly actor: string;
  readonly source: string;
  readonly action: string;
  readonly target: string;
  /** JSON, as it was written. */
  readonly detail: string;
}

/** An event of the audit trail with its links. Hashes are 64 lower-case hex digits. */
export interface ChainedEvent extends ChainedFields {
  readonly previousHash: string;
  readonly hash: string;
}

/** A place in the chain: an event and its hash, or with a seq of 0 what stands before the first. */
export interface ChainPoint {
  readonly seq: number;
  /** 64 lower-case hex digits. */
  readonly hash: string;
}

/** What stands before the first event: SHA-256 of the 36 ASCII characters of the store's uuid. */
export function chainStart(uuid: string): ChainPoint {
  return { seq: 0, hash: createHash("sha256").update(uuid, "ascii").digest("hex") };
}

/**
 * SHA-256 over the previous event's 32 bytes and then, for each field from seq to detail, the length of its text in bytes
 * (4 bytes, big-endian) and the text in UTF-8; integers are written in decimal. Whoever changes, removes or inserts an
 * event has to change the hash of every one after it.
 */
export function chainHash(previousHash: string, event: ChainedFields): string {
  const { seq, revision, atMs, actor, source, action, target, detail } = event;
  const hash = createHash("sha256").update(previousHash, "hex");
  for (const field of [seq, revision, atMs, actor, source, action, target, detail]) {
    const text = Buffer.from(String(field), "utf8");
    const length = Buffer.alloc(4);
    length.writeUInt32BE(text.length);
    hash.update(length).update(text);
  }
  return hash.digest("hex");
}
