import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { SystemService } from "../gen/keyward/admin/v1/system_service_pb.ts";
import { type Board, NOT_FOLLOWING } from "../serve/board.ts";
import type { Store } from "../store/store.ts";

/** What stays as it is while the program runs. */
export interface ProgramFacts {
  readonly version: string;
  readonly mode: string;
  readonly startedAtMs: number;
  readonly database: string;
}

/** Tells how this program is. */
export function createSystemService(
  store: Store,
  board: Board,
  program: ProgramFacts,
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
        })),
      };
    },
  };
}

/** 0 where the thread has not opened the store, as before the first change: there is nothing yet that it could obey. */
function appliedRevision(board: Board, thread: number): bigint {
  const revision = Atomics.load(board.revisions, thread);
  return revision === NOT_FOLLOWING ? 0n : revision;
}
