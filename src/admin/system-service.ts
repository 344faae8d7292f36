import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { SigningKeySchema, SystemService } from "../gen/keyward/admin/v1/system_service_pb.ts";
import { DEFAULT_SIGNING_ALG, isSigningAlg } from "../key/signing-alg.ts";
import { type Board, NOT_FOLLOWING, staleSeconds } from "../serve/threads/board.ts";
import type { StoredSigningKey } from "../store/signing-keys.ts";
import type { Store } from "../store/store.ts";
import { streamBackup } from "./backup-stream.ts";
import { callerOf } from "./caller.ts";
import { optionalTime } from "./keys/key-message.ts";
import type { SigningKeyRing } from "./signing/signing-key-ring.ts";

/** What stays as it is while the program runs. */
export interface ProgramFacts {
  readonly version: string;
  readonly mode: string;
  readonly startedAtMs: number;
  readonly database: string;
}

/** Tells how this program is, replaces what signs keys, and hands out copies of the database. */
export function createSystemService(
  store: Store,
  board: Board,
  program: ProgramFacts,
  signingKeys: SigningKeyRing,
): ServiceImpl<typeof SystemService> {
  return {
    getStatus() {
      return {
        version: program.version,
        mode: program.mode,
        startedAt: timestampFromMs(program.startedAtMs),
        database: program.database,
        schemaVersion: store.schemaVersion,
        revision: BigInt(store.revision()),
        checkThreads: Array.from(board.serving, (_, thread) => ({
          serving: Atomics.load(board.serving, thread) === 1,
          appliedRevision: appliedRevision(board, thread),
          ...staleFor(staleSeconds(board, thread)),
        })),
      };
    },

    backup: (_, context) => streamBackup(store, callerOf(context), context.signal),

    async rotateSigningKey(request, context) {
      const alg = isSigningAlg(request.alg) ? request.alg : DEFAULT_SIGNING_ALG;
      const nowMs = Date.now();
      const made = await signingKeys.rotate(alg, request.withdrawEarlier, callerOf(context), nowMs);
      const earlier = store.publishedSigningKeys(nowMs).filter((key) => key.alg === alg && key.kid !== made.kid);
      return { signingKey: signingKeyMessage(made), earlier: earlier.map(signingKeyMessage) };
    },
  };
}

function signingKeyMessage(key: StoredSigningKey): MessageInitShape<typeof SigningKeySchema> {
  const { kid, alg, createdAtMs, retiredAtMs, tokensEndAtMs } = key;
  const ends = tokensEndAtMs > 0 && Number.isFinite(tokensEndAtMs);
  return {
    kid,
    alg,
    createdAt: timestampFromMs(createdAtMs),
    ...optionalTime("retiredAt", retiredAtMs),
    ...optionalTime("tokensEndAt", ends ? tokensEndAtMs : undefined),
  };
}

function staleFor(seconds: number) {
  return seconds > 0 ? { staleFor: durationFromMs(Math.round(seconds * 1000)) } : {};
}

/** 0 where the thread has not opened the store, as before the first change: there is nothing yet that it could obey. */
function appliedRevision(board: Board, thread: number): bigint {
  const revision = Atomics.load(board.revisions, thread);
  return revision === NOT_FOLLOWING ? 0n : revision;
}
