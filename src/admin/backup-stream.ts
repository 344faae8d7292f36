import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import type { BackupResponseSchema } from "../gen/keyward/admin/v1/system_service_pb.ts";
import type { Actor } from "../store/audit.ts";
import type { Backups } from "../store/backups.ts";
import { apiError } from "./errors.ts";

type Part = MessageInitShape<typeof BackupResponseSchema>;

/** How often it is told how far the copy is. */
const PROGRESS_INTERVAL_MS = 250;

/** The bound of the API. Large enough that a gigabyte is some thousand messages. */
const CHUNK_BYTES = 256 * 1024;

/**
 * How long the copy waits until the next piece is taken: longer than a network or a disk that anybody waits for stands still.
 * The copy takes the room of a second database, and keeps every other one from being made.
 */
const LONGEST_UNTAKEN_MS = 60_000;

/**
 * Makes a copy of the store and sends it piece by piece; the next piece is read when the last one was taken. The caller gets
 * the bytes and names no file: who may call the API must not be able to write where this program can. Where no piece is
 * taken for `longestUntakenMs`, the copy is removed at once, and DEADLINE_EXCEEDED is what is taken next.
 */
export async function* streamBackup(
  store: Backups,
  actor: Actor,
  signal: AbortSignal,
  longestUntakenMs: number = LONGEST_UNTAKEN_MS,
): AsyncGenerator<Part> {
  const given = new AbortController();
  let progress: Part = {};
  let file: FileHandle | undefined;
  const making = store.makeBackup(actor, Date.now(), {
    signal: AbortSignal.any([signal, given.signal]),
    onProgress: (copied, total) => {
      progress = { copiedBytes: BigInt(copied), totalBytes: BigInt(total) };
    },
  });
  const giveUp = async () => {
    given.abort();
    const made = await making.catch(() => undefined);
    // While it is open its bytes are on the disk.
    await file?.close().catch(() => {});
    made?.discard();
  };
  async function* parts(): AsyncGenerator<Part> {
    let backup: Awaited<typeof making> | undefined;
    for (;;) {
      backup = await Promise.race([making, delay(PROGRESS_INTERVAL_MS, undefined)]);
      if (backup !== undefined) break;
      yield progress;
    }
    file = await open(backup.path);
    yield* contentsOf(file);
  }
  let untaken: NodeJS.Timeout | undefined;
  try {
    for await (const part of parts()) {
      untaken = setTimeout(giveUp, longestUntakenMs);
      yield part;
      clearTimeout(untaken);
      if (given.signal.aborted) throw notTaken(longestUntakenMs);
    }
  } finally {
    clearTimeout(untaken);
    await giveUp();
  }
}

async function* contentsOf(file: FileHandle): AsyncGenerator<Part> {
  const hash = createHash("sha256");
  const totalBytes = BigInt((await file.stat()).size);
  for (;;) {
    const { bytesRead, buffer } = await file.read({ buffer: Buffer.alloc(CHUNK_BYTES) });
    if (bytesRead === 0) break;
    const data = buffer.subarray(0, bytesRead);
    hash.update(data);
    yield { totalBytes, data };
  }
  yield { totalBytes, sha256: hash.digest("hex") };
}

function notTaken(ms: number) {
  const message = `nothing of the copy was taken for ${ms / 1000} s, and it was removed; make another`;
  return apiError(Code.DeadlineExceeded, "BACKUP_NOT_TAKEN", message);
}
