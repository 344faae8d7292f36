/**
 * What the threads of one program tell each other, in shared memory: numbers that one thread writes and others read, so
 * that no check costs a message and a stuck reader holds up nobody.
 */
export interface Board {
  readonly buffer: SharedArrayBuffer;
  /**
   * One cell: how many changes this process has committed. Not the store's revision, which goes back where a store is put
   * back under a running program.
   */
  readonly head: BigInt64Array;
  /** Told how long it took until a change was obeyed, or until nobody waited for it any longer. */
  readonly onEnforced?: (seconds: number) => void;
  /** One cell a check thread: how many of those changes it obeys, or `NOT_FOLLOWING`. */
  readonly applied: BigInt64Array;
  /** One cell a check thread: the store's revision that it obeys, for people and metrics, or `NOT_FOLLOWING`. */
  readonly revisions: BigInt64Array;
  /** One cell a check thread: the milliseconds since 1970 up to which all that it has seen of keys is written down; 0: none. */
  readonly usageKnownUntil: BigInt64Array;
  /** One cell a check thread: since when, on the clock of `process.hrtime`, what it knows is not known to be up to date; 0: it is. */
  readonly staleSince: BigInt64Array;
  /** One cell a check thread: 1 while it answers from the store. */
  readonly serving: Int32Array;
}

/** In `applied` and `revisions`: the thread holds no record that a change could make stale. */
export const NOT_FOLLOWING = -1n;

/** Makes a board for a number of check threads; each starts out as not following. */
export function createBoard(checkThreads: number): Board {
  const board = openBoard(new SharedArrayBuffer(layout(checkThreads).bytes), checkThreads);
  board.applied.fill(NOT_FOLLOWING);
  board.revisions.fill(NOT_FOLLOWING);
  return board;
}

/** Opens the board that another thread made for the same number of check threads. */
export function openBoard(buffer: SharedArrayBuffer, checkThreads: number): Board {
  const { applied, revisions, usage, stale, serving } = layout(checkThreads);
  return {
    buffer,
    head: new BigInt64Array(buffer, 0, 1),
    applied: new BigInt64Array(buffer, applied, checkThreads),
    revisions: new BigInt64Array(buffer, revisions, checkThreads),
    usageKnownUntil: new BigInt64Array(buffer, usage, checkThreads),
    staleSince: new BigInt64Array(buffer, stale, checkThreads),
    serving: new Int32Array(buffer, serving, checkThreads),
  };
}

function layout(threads: number) {
  const applied = BigInt64Array.BYTES_PER_ELEMENT;
  const revisions = applied + threads * BigInt64Array.BYTES_PER_ELEMENT;
  const usage = revisions + threads * BigInt64Array.BYTES_PER_ELEMENT;
  const stale = usage + threads * BigInt64Array.BYTES_PER_ELEMENT;
  const serving = stale + threads * BigInt64Array.BYTES_PER_ELEMENT;
  return { applied, revisions, usage, stale, serving, bytes: serving + threads * Int32Array.BYTES_PER_ELEMENT };
}

/** For how many seconds nobody has been able to tell whether what a check thread knows is up to date; 0: it is. */
export function staleSeconds(board: Board, thread: number): number {
  const since = Atomics.load(board.staleSince, thread);
  return since === 0n ? 0 : Number(process.hrtime.bigint() - since) / 1e9;
}

/** How long an admin call waits for the check threads; past it the caller is told that the change is on its way. */
export const ENFORCEMENT_TIMEOUT_MS = 1_000;

/** Tells the check threads of this process that a change was committed, and returns how many there have been. */
export function announce(board: Board): number {
  const change = Atomics.add(board.head, 0, 1n) + 1n;
  Atomics.notify(board.head, 0);
  return Number(change);
}

/**
 * Waits until every check thread of this process obeys a change that was announced. Returns whether they do: false after
 * `timeoutMs`, undefined where there are no check threads.
 */
export async function enforced(
  board: Board,
  change: number,
  timeoutMs: number = ENFORCEMENT_TIMEOUT_MS,
): Promise<boolean | undefined> {
  if (board.applied.length === 0) return undefined;
  const deadline = performance.now() + timeoutMs;
  for (let thread = 0; thread < board.applied.length; thread++) {
    for (let applied = Atomics.load(board.applied, thread); isBehind(applied, change); ) {
      const remaining = deadline - performance.now();
      if (remaining <= 0) return false;
      await Atomics.waitAsync(board.applied, thread, applied, remaining).value;
      applied = Atomics.load(board.applied, thread);
    }
  }
  return true;
}

function isBehind(applied: bigint, change: number): boolean {
  return applied !== NOT_FOLLOWING && applied < BigInt(change);
}

/** Publishes a number that others wait for, and wakes them. */
export function publish(cells: BigInt64Array, cell: number, value: bigint): void {
  Atomics.store(cells, cell, value);
  Atomics.notify(cells, cell);
}
