import { announce, type Board, ENFORCEMENT_TIMEOUT_MS, enforced } from "../serve/threads/board.ts";

/** What a changing call tells of how far its change has got. */
export interface Enforcement {
  readonly enforced?: boolean;
  readonly warning: string;
}

/** Announces a committed change to the check threads of this process and waits until they have applied it. */
export async function enforce(board: Board): Promise<Enforcement> {
  const startedAt = performance.now();
  const applied = await enforced(board, announce(board));
  if (applied !== undefined) board.onEnforced?.((performance.now() - startedAt) / 1000);
  if (applied === true) return { enforced: true, warning: "" };
  if (applied === undefined) {
    return { warning: "no checks are served by this process; another process on this database follows within 100 ms" };
  }
  const warning = `not every check thread has applied the change within ${ENFORCEMENT_TIMEOUT_MS} ms; it is stored, and they will`;
  return { enforced: false, warning };
}
