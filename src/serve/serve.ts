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
import { startPulse } from "../observe/pulse.ts";
import { newReloadCounts, type ReloadCounts } from "../observe/reload-counts.ts";
import type { TraceSettings } from "../observe/traces/settings.ts";
import { SINGLE_KEY_ID } from "../store/single-key.ts";
import { createUsageRelay } from "../usage/relay.ts";
import { openCertificates, tlsOfStarted } from "./certificates.ts";
import { createExamination } from "./examination.ts";
import { type Listener, listen } from "./listeners/listen.ts";
import { listenerTls } from "./listeners/listener-tls.ts";
import { createOpsServer, type OpsSources } from "./listeners/ops-server.ts";
import { createProgramMetrics } from "./program-metrics.ts";
import { type Phase, remarks, unreadiness } from "./readiness.ts";
import { createShutdownTimes } from "./shutdown-times.ts";
import { createBoard } from "./threads/board.ts";
import {
  checkName,
  type ProgramThreads,
  startCheckThreads,
  startWriter,
  WRITER,
  withoutSecrets,
} from "./threads/program-threads.ts";
import { createReportHearing } from "./threads/reports.ts";
import { createRollout } from "./threads/rollout.ts";
import type { ThreadData } from "./threads/thread-messages.ts";
import { within } from "./within.ts";

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
  const threads: ProgramThreads = { check: [] };
  let phase: Phase = "starting";
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
  const hearing = createReportHearing({ threads, rollout, examination, relay, spans, cells, log });
  const collect = createProgramMetrics(metrics, cells, {
    settings,
    board,
    threads,
    reloads,
    droppedLines,
    lostUses: () => relay.lostUses,
    unreadSeconds: examination.unreadSeconds,
  });
  const threadNames = [...Array.from({ length: checkThreads }, (_, index) => String(index)), "writer", "main"];
  const sources: OpsSources = {
    unreadiness: () => unreadiness(phase, settings, board, threads),
    remarks: () => remarks(examination.unreadSeconds(), board),
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
    const isUsageWritten = await within(
      times.usageEndMs(performance.now()),
      relay.settled().then(() => true),
    );
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

/** Where the keys are, for the log. */
function keysOf({ singleKey, database }: Settings): Record<string, string> {
  return singleKey === undefined ? { database } : { single_key: SINGLE_KEY_ID };
}

function formatted(addresses: Readonly<Record<string, Address>>): Record<string, string> {
  return Object.fromEntries(Object.entries(addresses).map(([name, address]) => [name, formatAddress(address)]));
}
