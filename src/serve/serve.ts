import { setTimeout as delay } from "node:timers/promises";
import { type Address, formatAddress } from "../config/address.ts";
import type { Settings } from "../config/settings.ts";
import type { TlsMaterial } from "../config/tls-files.ts";
import type { TlsListener } from "../config/tls-listeners.ts";
import { RATE_CELLS } from "../key/record.ts";
import { createConnectionCounter } from "../observe/connection-counters.ts";
import { createRingBuffer } from "../observe/denial-ring.ts";
import type { Log } from "../observe/log.ts";
import { createMetricMemory, MetricCells } from "../observe/metrics/cells.ts";
import { METRICS_CONTENT_TYPE, printMetrics } from "../observe/metrics/print.ts";
import { routeNames } from "../observe/metrics/route-slots.ts";
import { createProcessMetrics } from "../observe/process-metrics.ts";
import { startPulse } from "../observe/pulse.ts";
import { newReloadCounts, type ReloadCounts } from "../observe/reload-counts.ts";
import type { Sampling, TraceSettings } from "../observe/traces/settings.ts";
import { SINGLE_KEY_ID } from "../store/single-key.ts";
import { createUsageRelay } from "../usage/relay.ts";
import { VERSION } from "../version.ts";
import { openCertificates } from "./certificates.ts";
import { createExamination } from "./examination.ts";
import { type Listener, listen } from "./listeners/listen.ts";
import { listenerTls } from "./listeners/listener-tls.ts";
import { createOpsServer, type OpsSources } from "./listeners/ops-server.ts";
import { shareAddress } from "./listeners/share-address.ts";
import { createShutdownTimes } from "./shutdown-times.ts";
import { type Board, createBoard, NOT_FOLLOWING, publish, staleSeconds } from "./threads/board.ts";
import { createRollout } from "./threads/rollout.ts";
import { type SupervisedThread, superviseThread } from "./threads/supervised-thread.ts";
import type { CheckThreadData, ThreadData } from "./threads/thread-messages.ts";
import { type OtherReport, startThread } from "./threads/worker.ts";

/** A program that serves. */
export interface Program {
  /**
   * Says NOT_SERVING, goes on answering for the configured delay, then finishes what is in progress. Returns whether
   * everything had finished within the configured time.
   */
  stop(): Promise<boolean>;
  /**
   * Puts settings into effect in every thread, those that will replace one included, and resolves once all obey them. What
   * needs a restart has to be as it was.
   */
  reload(settings: Settings): Promise<void>;
  /**
   * Resolves, with a sentence, when a check thread has died so often that it is not replaced any more, or when the database
   * was found to be damaged. Usually never.
   */
  readonly failed: Promise<string>;
}

/** Why the program is not ready before it serves and after. A thread may answer already; all have to, and to listen. */
const PHASES = { starting: "the program is starting", stopping: "the program is shutting down" };

/**
 * Starts the threads and listeners of a configuration and returns once all of them answer. Throws StartError where an
 * address or the database cannot be had.
 *
 * This thread supervises: signals, the ops listener, the replacement of threads that die. The writer thread holds the
 * only writing handle and the admin listeners. Each check thread has its own read-only handle, cache and connections.
 * `droppedLines` says how many lines the log could not write, and `reloads` how reading the configuration went; without
 * `traces` nothing is traced.
 */
export async function serve(
  settings: Settings,
  version: string,
  log: Log,
  droppedLines: () => number = () => 0,
  reloads: ReloadCounts = newReloadCounts(Date.now()),
  traces?: TraceSettings,
): Promise<Program> {
  const checkThreads = settings.mode === "admin" ? 0 : settings.checkThreads;
  const board = createBoard(checkThreads);
  // The system gives the memory page by page, as cells are used. A thread that takes over goes on with what was counted.
  const rates = new SharedArrayBuffer(RATE_CELLS * BigInt64Array.BYTES_PER_ELEMENT);
  // The same holds for what was denied.
  const denials = Array.from({ length: checkThreads }, () => createRingBuffer());
  const startedAtMs = Date.now();
  // The check threads, the writer, and this one.
  const metrics = createMetricMemory(checkThreads + 2);
  const current = { settings, configuration: 0, routes: routeNames(settings.policy) };
  // A private key goes to the thread that listens with it, and to no other.
  const data = (...listeners: TlsListener[]): ThreadData => {
    const tls = Object.fromEntries(listeners.map((listener) => [listener, certificates.of(listener)]));
    return { ...current, board: board.buffer, rates, denials, checkThreads, version, startedAtMs, metrics, tls };
  };
  const failed = Promise.withResolvers<string>();
  const serving = Promise.withResolvers<void>();
  let isDamaged = false;
  const examination = createExamination(
    settings,
    serving.promise,
    (sentence) => {
      log("error", sentence);
      isDamaged = true;
      failed.resolve(sentence);
    },
    log,
  );
  const threads: { writer?: SupervisedThread; check: SupervisedThread[] } = { check: [] };
  let phase: "starting" | "serving" | "stopping" = "starting";
  const relay = createUsageRelay(
    (batch) => threads.writer?.order({ kind: "usage", batch }),
    (thread, source, seq) => threads.check[thread]?.order({ kind: "usage_written", source, seq }),
  );
  const cells = new MetricCells(metrics, checkThreads + 1);
  let opsListener: Listener | undefined;
  const handOut = (listener: TlsListener, material: TlsMaterial) => {
    if (listener === "ops") return opsListener?.renew(material);
    for (const thread of listener === "admin" ? [threads.writer] : threads.check) {
      thread?.order({ kind: "certificate", listener, material });
    }
  };
  const certificates = await openCertificates(tlsOfStarted(settings), handOut, cells, log);
  const pulse = startPulse(cells);
  const rollout = createRollout(
    [...(settings.mode === "authz" ? [] : [WRITER]), ...denials.map((_, thread) => checkName(thread))],
    log,
  );
  // Not even loaded where nothing is traced.
  const spans =
    traces && (await import("../observe/traces/exporter.ts")).createSpanExporter(traces, version, cells, log);
  const hearing = {
    writer(report: OtherReport) {
      if (report.kind === "configured") rollout.obeys(WRITER, report.configuration);
      else if (report.kind === "unread") examination.request(report.file);
      else if (report.kind === "usage_written") relay.written(report.source, report.seq);
      else if (report.kind === "alerts")
        for (const [event, count] of report.counts) cells.at("keyward_alerts_total", { event }).add(count);
    },
    check(thread: number, report: OtherReport) {
      if (report.kind === "configured") rollout.obeys(checkName(thread), report.configuration);
      else if (report.kind === "unread") examination.request(report.file);
      else if (report.kind === "usage") relay.take(report.batch);
      else if (report.kind === "allowed") {
        for (const { atMs, decisionId, keyId, route } of report.lines) {
          const at = new Date(atMs).toISOString();
          log("info", "allowed", { at, decision_id: decisionId, key_id: keyId, route });
        }
        threads.check[thread]?.order({ kind: "allowed_taken" });
      } else if (report.kind === "spans") {
        spans?.take(report.spans);
        threads.check[thread]?.order({ kind: "spans_taken" });
      }
    },
  };

  const tellProcess = createProcessMetrics(cells);
  const collect = () => {
    tellProcess();
    cells.at("keyward_build_info", { version: VERSION }).set(1);
    cells.at("keyward_usage_uncounted_total", { what: "use" }).set(relay.lostUses);
    cells.at("keyward_log_dropped_lines_total", { where: "output" }).set(droppedLines());
    cells.at("keyward_thread_restarts_total", { thread: "writer" }).set(threads.writer?.restarts ?? 0);
    const restarts = threads.check.reduce((count, { restarts }) => count + restarts, 0);
    cells.at("keyward_thread_restarts_total", { thread: "check" }).set(restarts);
    cells.at("keyward_config_reloads_total", { result: "success" }).set(reloads.succeeded);
    cells.at("keyward_config_reloads_total", { result: "failure" }).set(reloads.failed);
    cells.at("keyward_config_last_reload_successful").set(reloads.lastSucceeded ? 1 : 0);
    cells.at("keyward_config_last_reload_success_timestamp_seconds").set(reloads.lastSuccessAtMs / 1000);
    cells.at("keyward_database_unread_seconds").set(examination.unreadSeconds());
    tellOfCheckThreads(settings, board, metrics);
  };
  const threadNames = [...Array.from({ length: checkThreads }, (_, index) => String(index)), "writer", "main"];
  const sources: OpsSources = {
    unreadiness: () => (phase === "serving" ? unreadiness(settings, board, threads) : [PHASES[phase]]),
    remarks: () => [...unreadRemarks(examination.unreadSeconds()), ...staleRemarks(board)],
    metrics() {
      collect();
      return printMetrics(metrics, { threads: threadNames, slots: { route: current.routes } });
    },
    metricsContentType: METRICS_CONTENT_TYPE,
  };
  const ops = createOpsServer(sources, createConnectionCounter(cells, "ops"));

  const stopThreads = async () => {
    const times = createShutdownTimes(current.settings.shutdownTimeoutMs, performance.now());
    const { checksGraceMs, checksEndMs, writerEndMs } = times;
    const checks = await Promise.all(threads.check.map((thread) => thread.stop(checksGraceMs, checksEndMs)));
    const isUsageWritten = await within(times.usageEndMs(performance.now()), relay.settled());
    await spans?.finish();
    if (!isUsageWritten) log("warn", "the last of how keys were used could not be written down");
    const writerGraceMs = times.writerGraceMs(performance.now());
    const writer = await (threads.writer?.stop(writerGraceMs, writerEndMs) ?? true);
    opsListener?.close();
    ops.stop();
    certificates.stop();
    clearInterval(pulse);
    return writer && isUsageWritten && checks.every(Boolean);
  };

  try {
    const address = settings.listen.ops;
    if (address) {
      const tls = listenerTls("ops", certificates.of("ops"), cells, log);
      opsListener = await listen({ address, setting: "listen.ops", tls, onConnection: ops.take });
    }
    // The writer makes the database where there is none, so it comes first.
    if (settings.mode !== "authz")
      threads.writer = await startWriter(() => data("admin"), log, hearing.writer, relay.resend);
    const checks = startCheckThreads(
      () => data("authz", "forward_auth"),
      board,
      traces?.sampling,
      log,
      hearing.check,
      failed.resolve,
    );
    for await (const thread of checks) threads.check.push(thread);
  } catch (error) {
    await stopThreads();
    throw error;
  }
  const addresses = {
    ...threads.check[0]?.addresses,
    ...threads.writer?.addresses,
    ...(opsListener && { ops: opsListener.address }),
  };
  phase = "serving";
  // What was renewed meanwhile, threads that were starting have not been told.
  certificates.repeat();
  serving.resolve();
  log("info", "serving", { version, mode: settings.mode, ...keysOf(settings), ...formatted(addresses) });

  return {
    failed: failed.promise,
    async stop() {
      phase = "stopping";
      const { shutdownDelayMs } = current.settings;
      log("info", "shutting down", { delay_ms: shutdownDelayMs });
      threads.writer?.drain();
      for (const thread of threads.check) thread.drain();
      // Of a damaged file nothing is answered any longer.
      await delay(isDamaged ? 0 : shutdownDelayMs);
      return stopThreads();
    },
    reload(next) {
      current.settings = next;
      current.routes = routeNames(next.policy, current.routes);
      const { configuration, routes } = { ...current, configuration: ++current.configuration };
      threads.writer?.order({ kind: "reload", settings: next, configuration, routes });
      const settings = withoutSecrets(next);
      for (const thread of threads.check) thread.order({ kind: "reload", settings, configuration, routes });
      return rollout.reached(configuration);
    },
  };
}

/** Whether something comes to its end before a deadline of `performance.now()`. */
async function within(deadlineMs: number, work: Promise<void>): Promise<boolean> {
  const timer = new AbortController();
  const tooLate = delay(Math.max(0, deadlineMs - performance.now()), false, { signal: timer.signal }).catch(
    () => false,
  );
  const inTime = await Promise.race([work.then(() => true), tooLate]);
  timer.abort();
  return inTime;
}

/** The names of the threads, in the log. */
const WRITER = "writer";
const checkName = (thread: number) => `check ${thread}`;

async function startWriter(
  data: () => ThreadData,
  log: Log,
  heard: (report: OtherReport) => void,
  onReplaced: () => void,
): Promise<SupervisedThread> {
  let { listen } = data().settings;
  const own = (): ThreadData => ({ ...data(), settings: { ...data().settings, listen } });
  const start = () => startThread("writer", own(), log, heard);
  const thread = await superviseThread({ name: WRITER, start, onDeath: () => {}, onReplaced, log });
  // A port that was left to the system is now known, and a thread that replaces this one has to take the same.
  listen = { ...listen, admin: thread.addresses.admin };
  return thread;
}

async function* startCheckThreads(
  data: () => ThreadData,
  board: Board,
  sampling: Sampling | undefined,
  log: Log,
  heard: (thread: number, report: OtherReport) => void,
  onGivenUp: (why: string) => void,
): AsyncGenerator<SupervisedThread> {
  const { settings, checkThreads } = data();
  const shared = checkThreads > 1;
  let { authz, forwardAuth } = settings.listen;
  if (shared) {
    authz &&= await shareAddress(authz, "listen.authz", settings);
    forwardAuth &&= await shareAddress(forwardAuth, "listen.forward_auth", settings);
  }
  for (let index = 0; index < checkThreads; index++) {
    const own = (): CheckThreadData => {
      return { ...data(), settings: withoutSecrets(data().settings), index, sampling, authz, forwardAuth, shared };
    };
    const onDeath = () => {
      Atomics.store(board.serving, index, 0);
      Atomics.store(board.usageKnownUntil, index, 0n);
      Atomics.store(board.staleSince, index, 0n);
      Atomics.store(board.revisions, index, NOT_FOLLOWING);
      publish(board.applied, index, NOT_FOLLOWING);
    };
    const thread = await superviseThread({
      name: checkName(index),
      start: () => startThread("check", own(), log, (report) => heard(index, report)),
      onDeath,
      onGivenUp,
      log,
    });
    // As above, and the next check thread shares them.
    authz = thread.addresses.authz ?? authz;
    forwardAuth = thread.addresses.forward_auth ?? forwardAuth;
    yield thread;
  }
}

/** What the board says of each check thread. */
function tellOfCheckThreads(settings: Settings, board: Board, metrics: SharedArrayBuffer): void {
  for (let thread = 0; thread < board.applied.length; thread++) {
    const cells = new MetricCells(metrics, thread);
    cells.at("keyward_applied_revision").set(appliedRevision(board, thread) ?? Number.NaN);
    cells.at("keyward_store_stale_seconds").set(staleSeconds(board, thread));
    const knownUntilMs = settings.mode === "all" ? Number(Atomics.load(board.usageKnownUntil, thread)) : 0;
    const behindMs = knownUntilMs > 0 ? Math.max(0, Date.now() - knownUntilMs) : Number.NaN;
    cells.at("keyward_usage_behind_seconds").set(behindMs / 1000);
  }
}

/** A check needs no secret of the administrators. */
function withoutSecrets({ adminKey: _, encryptionKey: __, ...settings }: Settings): CheckThreadData["settings"] {
  return settings;
}

/** The files of the listeners that this program starts. Those of others it need not be able to read. */
function tlsOfStarted({ mode, listen, tls }: Settings): Settings["tls"] {
  return {
    ...(tls.authz && listen.authz && mode !== "admin" && { authz: tls.authz }),
    ...(tls.forward_auth && listen.forwardAuth && mode !== "admin" && { forward_auth: tls.forward_auth }),
    ...(tls.admin && listen.admin && mode !== "authz" && { admin: tls.admin }),
    ...(tls.ops && listen.ops && { ops: tls.ops }),
  };
}

function unreadiness(
  settings: Settings,
  board: Board,
  threads: { readonly writer?: SupervisedThread; readonly check: readonly SupervisedThread[] },
): string[] {
  const missing: string[] = [];
  if (settings.mode !== "authz" && !threads.writer?.alive) missing.push("the writer thread does not run");
  for (let thread = 0; thread < board.serving.length; thread++) {
    if (!threads.check[thread]?.alive || Atomics.load(board.serving, thread) === 0)
      missing.push(`check thread ${thread} does not answer from the store`);
  }
  return missing;
}

function unreadRemarks(seconds: number): string[] {
  return seconds === 0 ? [] : [`the database is read through while it is served, since ${Math.ceil(seconds)} s`];
}

function staleRemarks(board: Board): string[] {
  return Array.from(board.staleSince, (_, thread) => ({ thread, seconds: staleSeconds(board, thread) }))
    .filter(({ seconds }) => seconds > 0)
    .map(({ thread, seconds }) => `check thread ${thread} answers from what it knew ${Math.ceil(seconds)} s ago`);
}

/** Where the keys are, for the log. */
function keysOf({ singleKey, database }: Settings): Record<string, string> {
  return singleKey === undefined ? { database } : { single_key: SINGLE_KEY_ID };
}

function appliedRevision(board: Board, thread: number): number | undefined {
  const revision = Atomics.load(board.revisions, thread);
  return revision === NOT_FOLLOWING ? undefined : Number(revision);
}

function formatted(addresses: Readonly<Record<string, Address>>): Record<string, string> {
  return Object.fromEntries(Object.entries(addresses).map(([name, address]) => [name, formatAddress(address)]));
}
