import { type Board, ENFORCEMENT_TIMEOUT_MS, enforced, publish } from "../serve/board.ts";

/** What a changing call tells of how far its change has got. */
export interface Enforcement {
  readonly enforced?: boolean;
  readonly warning: string;
}

/** Announces a revision to the check threads of this process and waits until they have applied it. */
export async function enforce(board: Board, revision: number): Promise<Enforcement> {
  if (BigInt(revision) > Atomics.load(board.head, 0)) publish(board.head, 0, BigInt(revision));
  const applied = await enforced(board, revision);
  if (applied === true) return { enforced: true, warning: "" };
  if (applied === undefined) {
    return { warning: "no checks are served by this process; another process on this database follows within 100 ms" };
  }
  const warning = `not every check thread has applied the change within ${ENFORCEMENT_TIMEOUT_MS} ms; it is stored, and they will`;
  return { enforced: false, warning };
}
