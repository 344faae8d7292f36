import { existsSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { createSealedKeys } from "../../admin/signing/sealed-keys.ts";
import { createRateLimiter } from "../../check/rate-limit.ts";
import type { Address } from "../../config/address.ts";
import type { Settings } from "../../config/settings.ts";
import { createConnectionCounter } from "../../observe/connection-counters.ts";
import { createDatabaseMetrics, DATABASE_METRICS_INTERVAL_MS } from "../../observe/database-metrics.ts";
import { DenialRing } from "../../observe/denial-ring.ts";
import { MetricCells } from "../../observe/metrics/cells.ts";
import { startPulse } from "../../observe/pulse.ts";
import { openStore } from "../../store/store.ts";
import { createAlerts } from "../../usage/alerts.ts";
import { createDenialSummaries, SUMMARY_INTERVAL_MS } from "../../usage/denial-summaries.ts";
import { createQuietEnding, QUIET_CHECK_INTERVAL_MS } from "../../usage/quiet-ending.ts";
import { createUsageRecorder } from "../../usage/recorder.ts";
import { createAdminOnDemand } from "../admin-on-demand.ts";
import { makeFirstAdminKeys } from "../first-admin-key.ts";
import { createAdminServer } from "../listeners/admin-server.ts";
import { listen } from "../listeners/listen.ts";
import { listenerTls } from "../listeners/listener-tls.ts";
import { createRetention, RETENTION_INTERVAL_MS } from "../retention.ts";
import { ServingSwitch } from "../serving-switch.ts";
import { announce, openBoard } from "./board.ts";
import { runThread } from "./thread.ts";
import { createThreadLog, type ThreadData } from "./thread-messages.ts";

// The body of the writer thread: the only writing handle, and the admin listeners in front of it.

/** Only who runs this program may connect: on the local admin socket nobody is asked for a key. */
const LOCAL_SOCKET_MODE = 0o600;

/** How often the thread looks whether the database was replaced; until then every change is refused. */
const FILE_CHECK_INTERVAL_MS = 1_000;

const LOST_LOG =
  "the log of the database was removed from beside it; what stood in it is brought into the file, and a new writer thread opens that";

/** How often usage is tried again that could not be written down. */
const USAGE_RETRY_INTERVAL_MS = 1_000;

const data = workerData as ThreadData;
const { settings, board: buffer, rates, denials: rings, checkThreads, version, startedAtMs, metrics } = data;

await runThread(parentPort, async (report) => {
  const log = createThreadLog(report);
  const cells = new MetricCells(metrics, checkThreads);
  startPulse(cells);
  const enforcement = cells.histogram("keyward_change_enforcement_seconds");
  const board = { ...openBoard(buffer, checkThreads), onEnforced: enforcement.observe };
  const store = openStore(settings.database, { mayReadLater: true });
  if (store.unreadFile !== undefined) report({ kind: "unread", file: store.unreadFile });
  if (store.upgradeCopy !== undefined) {
    const { path, schemaVersion } = store.upgradeCopy;
    const fields = { copy: path, from_schema: schemaVersion, to_schema: store.schemaVersion };
    log(
      "info",
      "the schema of the database was updated; the copy that was made before is for an earlier program",
      fields,
    );
  }
  makeFirstAdminKeys(store, settings, log);

  const state = new ServingSwitch();
  const program = { version, mode: settings.mode, startedAtMs, database: settings.database };
  const shutdown = new AbortController();
  for (const { kid, alg } of createSealedKeys(store, settings.encryptionKey).unusable()) {
    log("warn", "the encryption key does not open a signing key, or there is none: no key can be signed", { kid, alg });
  }
  const calls = createAdminOnDemand(settings, {
    store,
    board,
    state,
    program,
    rates: createRateLimiter(new BigInt64Array(rates), process.hrtime.bigint),
    metrics: cells,
    denials: rings.map((ring) => new DenialRing(ring)),
    log,
    shutdownSignal: shutdown.signal,
  });
  const network = createAdminServer(calls.network, createConnectionCounter(cells, "admin"));
  const local = createAdminServer(calls.local, createConnectionCounter(cells, "admin_local"));
  const { admin, adminLocal } = settings.listen;
  const listeners = [
    admin &&
      (await listen({
        address: admin,
        setting: "listen.admin",
        tls: listenerTls("admin", data.tls?.admin, cells, log),
        onConnection: network.take,
      })),
    adminLocal &&
      (await listen({
        address: adminLocal,
        setting: "listen.admin_local",
        socketMode: LOCAL_SOCKET_MODE,
        onConnection: local.take,
      })),
  ];
  const tellDatabase = createDatabaseMetrics(cells, settings.database, () => store.revision());
  tellDatabase();
  setInterval(tellDatabase, DATABASE_METRICS_INTERVAL_MS).unref();
  const addresses: Record<string, Address> = {};
  if (listeners[0]) addresses.admin = listeners[0].address;
  if (listeners[1]) addresses.admin_local = listeners[1].address;
  const denials = createDenialSummaries(store, log);
  setInterval(() => denials.flush(Date.now()), SUMMARY_INTERVAL_MS).unref();
  const alerts = createAlerts(settings.alerts, log);
  const recorder = createUsageRecorder(
    store,
    Date.now,
    ({ source, seq }) => report({ kind: "usage_written", source, seq }),
    (recorded, nowMs) => {
      const counts = alerts.judge(recorded, nowMs);
      if (counts.size > 0) report({ kind: "alerts", counts });
      denials.note(
        recorded.map(({ tally }) => tally),
        nowMs,
      );
    },
    log,
  );
  const ending = createQuietEnding(store, board, log);
  setInterval(() => recorder.retry(), USAGE_RETRY_INTERVAL_MS).unref();
  // What was sent while this thread stood still is heard first: a key that was used is not quiet.
  setInterval(() => setImmediate(() => recorder.retry() && ending.tick(Date.now())), QUIET_CHECK_INTERVAL_MS).unref();
  const retentionBy = (settings: Settings) => createRetention(store, settings.retention, () => announce(board), log);
  let retention = retentionBy(settings);
  const purge = () => void retention.run(Date.now());
  setImmediate(purge);
  setInterval(purge, RETENTION_INTERVAL_MS).unref();
  setInterval(() => {
    const hasLostLog = store.hasLostLog();
    if (!hasLostLog && (!store.isReplaced() || !existsSync(settings.database))) return;
    log(
      "error",
      hasLostLog ? LOST_LOG : "the database file or its log has been replaced; a new writer thread opens it",
    );
    store.close();
    process.exit(1);
  }, FILE_CHECK_INTERVAL_MS).unref();
  report({ kind: "listening", addresses });
  report({ kind: "configured", configuration: data.configuration });

  return {
    drain: () => state.set(false),
    hear(order) {
      if (order.kind === "usage") recorder.take(order.batch);
      else if (order.kind === "certificate" && listeners[0]) listeners[0].renew(order.material);
      else if (order.kind === "reload") {
        calls.reload(order.settings);
        alerts.setBounds(order.settings.alerts);
        retention.stop();
        retention = retentionBy(order.settings);
        purge();
        report({ kind: "configured", configuration: order.configuration });
      }
    },
    async stop(graceMs) {
      for (const listener of listeners) listener?.close();
      state.end();
      shutdown.abort();
      retention.stop();
      const finished = await Promise.all([network.stop(graceMs), local.stop(graceMs)]);
      denials.flush(Date.now());
      store.close();
      return finished.every(Boolean);
    },
  };
});
