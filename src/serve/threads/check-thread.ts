import { randomUUID } from "node:crypto";
import type { Socket } from "node:net";
import { parentPort, workerData } from "node:worker_threads";
import type { CheckContext } from "../../check/context.ts";
import { createRateLimiter } from "../../check/rate-limit.ts";
import type { Address } from "../../config/address.ts";
import type { Settings } from "../../config/settings.ts";
import { ALLOWED_LOG_INTERVAL_MS, createAllowedLog } from "../../observe/allowed-log.ts";
import { createCheckCounters } from "../../observe/check-counters.ts";
import { createConnectionCounter } from "../../observe/connection-counters.ts";
import { createDenialLog } from "../../observe/denial-log.ts";
import { DenialRing } from "../../observe/denial-ring.ts";
import { createInvalidKeys, INVALID_KEYS_SPAN_MS } from "../../observe/invalid-keys.ts";
import { MetricCells } from "../../observe/metrics/cells.ts";
import { startPulse } from "../../observe/pulse.ts";
import type { Sampling } from "../../observe/traces/settings.ts";
import type { CallMetadata, CheckSpan } from "../../observe/traces/tracer.ts";
import { createHandOver, HAND_OVER_INTERVAL_MS } from "../../usage/hand-over.ts";
import { createUsageTally } from "../../usage/tally.ts";
import { createCheckServer } from "../listeners/check-server.ts";
import { listen } from "../listeners/listen.ts";
import { listenerTls } from "../listeners/listener-tls.ts";
import { openBoard } from "./board.ts";
import { createChecks, type LastingPorts } from "./checks.ts";
import { createPublishedStore } from "./published-store.ts";
import { runThread } from "./thread.ts";
import { type CheckThreadData, createThreadLog } from "./thread-messages.ts";

// The body of a check thread: its own read-only handle, cache and connections. It never writes and waits for nobody.

const data = workerData as CheckThreadData;
const {
  settings,
  index,
  authz,
  forwardAuth,
  shared,
  rates,
  denials,
  board: buffer,
  checkThreads,
  metrics,
  routes,
  sampling,
} = data;

/** How often the thread tells how much its caches hold. */
const SIZES_INTERVAL_MS = 1_000;

await runThread(parentPort, async (report) => {
  const log = createThreadLog(report);
  const board = openBoard(buffer, checkThreads);
  const cells = new MetricCells(metrics, index);
  const counters = createCheckCounters(cells, routes);
  startPulse(cells);
  const tellDenial = createDenialLog(log);
  const ringBuffer = denials[index];
  const ring = ringBuffer && new DenialRing(ringBuffer);
  let current: Settings = settings;
  const store = createPublishedStore(() => current, board, index, {
    onServing: (serving) => server.setServing(serving),
    onUnread: (file) => report({ kind: "unread", file }),
    onLookUp: counters.countLookUp,
    log,
  });
  const tally = createUsageTally((what) => counters.countLost(what));
  const handOver = createHandOver(
    { thread: index, source: randomUUID() },
    tally,
    (batch) => report({ kind: "usage", batch }),
    (untilMs) => Atomics.store(board.usageKnownUntil, index, BigInt(untilMs)),
  );
  const allowedLog = createAllowedLog(
    settings.log.allowed,
    (lines) => report({ kind: "allowed", lines }),
    () => counters.countLost("allowed_line"),
  );
  const tracer = sampling && (await startTracer(sampling, (spans) => report({ kind: "spans", spans }), cells));
  const invalidKeys = createInvalidKeys(log);
  const isTallied = settings.mode === "all";
  const lasting: LastingPorts = {
    store,
    rates: createRateLimiter(new BigInt64Array(rates), process.hrtime.bigint),
    // Without a writer in this process nobody could write it down.
    ...(isTallied && { noteKey: tally.note }),
    noteInvalidKey: invalidKeys.note,
    observe(decision, request, context, cause, address) {
      counters.countOutcome(decision.reason, decision.rule?.route);
      tracer?.decided(decision);
      if (decision.allowed) allowedLog.note(decision, context);
      else {
        ring?.write(decision, request, context, address);
        tellDenial(decision, request, context, cause);
      }
    },
  };
  /** Whoever asks in this thread asks by these, so that a reload changes all answers in one step. */
  let checks = createChecks(settings, lasting);
  let handingOver: NodeJS.Timeout | undefined;
  const logAllowed = (which: Settings["log"]["allowed"]) => {
    allowedLog.finish();
    allowedLog.select(which);
    clearInterval(handingOver);
    handingOver = which === "none" ? undefined : setInterval(allowedLog.tick, ALLOWED_LOG_INTERVAL_MS).unref();
  };
  const answer = <Question, Answer>(
    check: (question: Question, context: CheckContext) => Answer,
    question: Question,
    metadata?: CallMetadata,
  ) => {
    const started = performance.now();
    const context = { nowMs: Date.now(), decisionId: randomUUID() };
    const answered = check(question, context);
    const ended = performance.now();
    counters.countDuration(ended - started);
    if (metadata !== undefined) tracer?.ended(metadata, context, started, ended);
    counters.countCache(store.cacheCounts());
    return answered;
  };
  const server = await createCheckServer(settings, (bytes, metadata) => answer(checks.grpc, bytes, metadata), {
    countConnection: createConnectionCounter(cells, "authz"),
    cells,
    log,
  });
  const countHttpConnection = createConnectionCounter(cells, "forward_auth");
  // Where nobody asks over HTTP, the code for it is not loaded.
  const httpServer =
    forwardAuth &&
    (await import("../listeners/forward-auth-server.ts")).createForwardAuthServer(
      (request) => answer(checks.http, request),
      countHttpConnection,
    );

  store.start();
  if (isTallied) {
    const tick = () => handOver.tick(Date.now());
    tick();
    setInterval(tick, HAND_OVER_INTERVAL_MS).unref();
  }
  setInterval(() => counters.tellSizes(store.cacheSizes()), SIZES_INTERVAL_MS).unref();
  setInterval(() => invalidKeys.tick(Date.now()), INVALID_KEYS_SPAN_MS / 10).unref();
  logAllowed(settings.log.allowed);
  const open = (
    name: "authz" | "forward_auth",
    address: Address | undefined,
    server: { take(socket: Socket): void } | undefined,
  ) => {
    if (address === undefined || server === undefined) return undefined;
    const tls = listenerTls(name, data.tls?.[name], cells, log);
    return listen({ address, setting: `listen.${name}`, tls, shared, onConnection: server.take });
  };
  const listeners = {
    authz: await open("authz", authz, server),
    forward_auth: await open("forward_auth", forwardAuth, httpServer),
  };
  const opened = Object.entries(listeners).flatMap(([name, listener]) => (listener ? [[name, listener] as const] : []));
  report({ kind: "listening", addresses: Object.fromEntries(opened.map(([name, { address }]) => [name, address])) });
  report({ kind: "configured", configuration: data.configuration });

  return {
    drain() {
      store.drain();
      httpServer?.drain();
    },
    async stop(graceMs) {
      for (const [, listener] of opened) listener.close();
      const finished = await Promise.all([server.stop(graceMs), httpServer?.stop(graceMs) ?? true]);
      handOver.finish();
      allowedLog.finish();
      tracer?.finish();
      invalidKeys.finish();
      return finished.every(Boolean);
    },
    hear(order) {
      if (order.kind === "reload") {
        current = order.settings;
        counters.nameRoutes(order.routes);
        checks = createChecks(order.settings, lasting);
        logAllowed(order.settings.log.allowed);
        report({ kind: "configured", configuration: order.configuration });
      } else if (order.kind === "usage_written") handOver.written(order.source, order.seq);
      else if (order.kind === "allowed_taken") allowedLog.taken();
      else if (order.kind === "spans_taken") tracer?.taken();
      else if (order.kind === "certificate") {
        for (const [name, listener] of opened) if (name === order.listener) listener.renew(order.material);
      }
    },
  };
});

/** Where nothing is traced, not even the code for it is loaded. */
async function startTracer(which: Sampling, send: (spans: readonly CheckSpan[]) => void, cells: MetricCells) {
  const { createTracer, SPANS_INTERVAL_MS } = await import("../../observe/traces/tracer.ts");
  const dropped = cells.at("keyward_trace_spans_total", { result: "dropped" });
  const tracer = createTracer(which, send, () => dropped.add());
  setInterval(tracer.tick, SPANS_INTERVAL_MS).unref();
  return tracer;
}
