import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { BackupResponseSchema } from "../gen/keyward/admin/v1/system_service_pb.ts";
import type { Actor } from "../store/audit.ts";
import type { Backups } from "../store/backups.ts";

type Part = MessageInitShape<typeof BackupResponseSchema>;

/** How often it is told how far the copy is. */
const PROGRESS_INTERVAL_MS = 250;

/** The bound of the API. Large enough that a gigabyte is some thousand messages. */
const CHUNK_BYTES = 256 * 1024;

/**
 * Makes a copy of the store and sends it piece by piece; the next piece is read when the last one was taken. The caller gets
 * the bytes and names no file: who may call the API must not be able to write where this program can.
 */
export async function* streamBackup(store: Backups, actor: Actor, signal: AbortSignal): AsyncGenerator<Part> {
  const given = new AbortController();
  let progress: Part = {};
  const making = store.makeBackup(actor, Date.now(), {
    signal: AbortSignal.any([signal, given.signal]),
    onProgress: (copied, total) => {
      progress = { copiedBytes: BigInt(copied), totalBytes: BigInt(total) };
    },
  });
  try {
    let backup: Awaited<typeof making> | undefined;
    for (;;) {
      backup = await Promise.race([making, delay(PROGRESS_INTERVAL_MS, undefined)]);
      if (backup !== undefined) break;
      yield progress;
    }
    yield* contentsOf(backup.path);
  } finally {
    given.abort();
    const made = await making.catch(() => undefined);
    made?.discard();
  }
}

async function* contentsOf(path: string): AsyncGenerator<Part> {
  const hash = createHash("sha256");
  const file = await open(path);
  try {
    const totalBytes = BigInt((await file.stat()).size);
    for (;;) {
      const { bytesRead, buffer } = await file.read({ buffer: Buffer.alloc(CHUNK_BYTES) });
      if (bytesRead === 0) break;
      const data = buffer.subarray(0, bytesRead);
      hash.update(data);
      yield { totalBytes, data };
    }
    yield { totalBytes, sha256: hash.digest("hex") };
  } finally {
    await file.close();
  }
}
