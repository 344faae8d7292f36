import type { Settings } from "../config/settings.ts";
import { type Board, staleSeconds } from "./threads/board.ts";
import type { ProgramThreads } from "./threads/program-threads.ts";

/** How far the program is. A thread may answer already while it starts; all have to, and to listen. */
export type Phase = "starting" | "serving" | "stopping";

const NOT_SERVING = { starting: "the program is starting", stopping: "the program is shutting down" };

/** Why the program is not ready; empty: it is. */
export function unreadiness(phase: Phase, { mode }: Settings, board: Board, threads: ProgramThreads): string[] {
  if (phase !== "serving") return [NOT_SERVING[phase]];
  const missing: string[] = [];
  if (mode !== "authz" && !threads.writer?.alive) missing.push("the writer thread does not run");
  for (let thread = 0; thread < board.serving.length; thread++) {
    if (!threads.check[thread]?.alive || Atomics.load(board.serving, thread) === 0)
      missing.push(`check thread ${thread} does not answer from the store`);
  }
  return missing;
}

/** What is worth knowing of a program that is ready. */
export function remarks(unreadSeconds: number, board: Board): string[] {
  return [...unreadRemarks(unreadSeconds), ...staleRemarks(board)];
}

function unreadRemarks(seconds: number): string[] {
  return seconds === 0 ? [] : [`the database is read through while it is served, since ${Math.ceil(seconds)} s`];
}

function staleRemarks(board: Board): string[] {
  return Array.from(board.staleSince, (_, thread) => ({ thread, seconds: staleSeconds(board, thread) }))
    .filter(({ seconds }) => seconds > 0)
    .map(({ thread, seconds }) => `check thread ${thread} answers from what it knew ${Math.ceil(seconds)} s ago`);
}
