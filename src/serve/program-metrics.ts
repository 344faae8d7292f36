import type { Settings } from "../config/settings.ts";
import { MetricCells } from "../observe/metrics/cells.ts";
import { createProcessMetrics } from "../observe/process-metrics.ts";
import type { ReloadCounts } from "../observe/reload-counts.ts";
import { VERSION } from "../version.ts";
import { type Board, NOT_FOLLOWING, staleSeconds } from "./threads/board.ts";
import type { ProgramThreads } from "./threads/program-threads.ts";

/** Where what main tells comes from. Each is asked anew. */
export interface ProgramFacts {
  readonly settings: Settings;
  readonly board: Board;
  readonly threads: ProgramThreads;
  readonly reloads: ReloadCounts;
  /** How many lines the log could not write. */
  droppedLines(): number;
  /** How many uses of keys nobody wrote down. */
  lostUses(): number;
  unreadSeconds(): number;
}

/** Makes what writes into the cells, each time that somebody looks, all that is not counted as it happens. */
export function createProgramMetrics(memory: SharedArrayBuffer, cells: MetricCells, facts: ProgramFacts): () => void {
  const { settings, board, threads, reloads } = facts;
  const tellProcess = createProcessMetrics(cells);
  return () => {
    tellProcess();
    cells.at("keyward_build_info", { version: VERSION }).set(1);
    cells.at("keyward_usage_uncounted_total", { what: "use" }).set(facts.lostUses());
    cells.at("keyward_log_dropped_lines_total", { where: "output" }).set(facts.droppedLines());
    cells.at("keyward_thread_restarts_total", { thread: "writer" }).set(threads.writer?.restarts ?? 0);
    const restarts = threads.check.reduce((count, { restarts }) => count + restarts, 0);
    cells.at("keyward_thread_restarts_total", { thread: "check" }).set(restarts);
    cells.at("keyward_config_reloads_total", { result: "success" }).set(reloads.succeeded);
    cells.at("keyward_config_reloads_total", { result: "failure" }).set(reloads.failed);
    cells.at("keyward_config_last_reload_successful").set(reloads.lastSucceeded ? 1 : 0);
    cells.at("keyward_config_last_reload_success_timestamp_seconds").set(reloads.lastSuccessAtMs / 1000);
    cells.at("keyward_database_unread_seconds").set(facts.unreadSeconds());
    tellOfCheckThreads(settings, board, memory);
  };
}

/** What the board says of each check thread. */
function tellOfCheckThreads(settings: Settings, board: Board, memory: SharedArrayBuffer): void {
  for (let thread = 0; thread < board.applied.length; thread++) {
    const cells = new MetricCells(memory, thread);
    cells.at("keyward_applied_revision").set(appliedRevision(board, thread) ?? Number.NaN);
    cells.at("keyward_store_stale_seconds").set(staleSeconds(board, thread));
    const knownUntilMs = settings.mode === "all" ? Number(Atomics.load(board.usageKnownUntil, thread)) : 0;
    const behindMs = knownUntilMs > 0 ? Math.max(0, Date.now() - knownUntilMs) : Number.NaN;
    cells.at("keyward_usage_behind_seconds").set(behindMs / 1000);
  }
}

function appliedRevision(board: Board, thread: number): number | undefined {
  const revision = Atomics.load(board.revisions, thread);
  return revision === NOT_FOLLOWING ? undefined : Number(revision);
}
