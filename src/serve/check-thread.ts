import { hash, randomUUID } from "node:crypto";
import { parentPort, workerData } from "node:worker_threads";
import { createCheck } from "../check/check.ts";
import { createRateLimiter } from "../check/rate-limit.ts";
import { CheckCounters } from "../observe/check-counters.ts";
import { createDenialLog } from "../observe/denial-log.ts";
import { compilePolicy } from "../policy/policy.ts";
import { NOT_FOLLOWING, openBoard, publish } from "./board.ts";
import { createCheckServer } from "./check-server.ts";
import { listen } from "./listen.ts";
import { createServedStore } from "./served-store.ts";
import { runThread } from "./thread.ts";
import { type CheckThreadData, createThreadLog } from "./thread-messages.ts";

// The body of a check thread: its own read-only handle, cache and connections. It never writes and waits for nobody.

const { settings, index, address, shared, rates, board: buffer, checkThreads } = workerData as CheckThreadData;

await runThread(parentPort, async (report) => {
  const log = createThreadLog(report);
  const board = openBoard(buffer, checkThreads);
  const counters = new CheckCounters(board.counters(index));
  const tellDenial = createDenialLog(log);
  const compiled = compilePolicy(settings.policy);
  if ("problems" in compiled) throw new Error("the routes were not validated before they were handed to a thread");

  const store = createServedStore(settings, board, {
    onApplied(change, revision) {
      Atomics.store(board.revisions, index, BigInt(revision));
      publish(board.applied, index, change);
    },
    onClosed() {
      Atomics.store(board.revisions, index, NOT_FOLLOWING);
      publish(board.applied, index, NOT_FOLLOWING);
    },
    onServing(serving) {
      Atomics.store(board.serving, index, serving ? 1 : 0);
      server.setServing(serving);
    },
    log,
  });
  const check = createCheck({
    policy: compiled.policy,
    credentials: settings.credentials,
    trustedHops: settings.trustedHops,
    identityHeaders: settings.identityHeaders,
    realm: settings.realm,
    wwwAuthenticate: settings.wwwAuthenticate,
    expiryWarningMs: settings.expiryWarningMs,
    onStoreError: settings.onStoreError,
    digest: (secret) => hash("sha256", secret, "hex"),
    store,
    rates: createRateLimiter(new BigInt64Array(rates), process.hrtime.bigint),
    observe(decision, request, context, cause) {
      counters.countOutcome(decision.reason);
      if (!decision.allowed) tellDenial(decision, request, context, cause);
    },
  });
  const server = createCheckServer((request) => {
    const started = performance.now();
    const answer = check(request, { nowMs: Date.now(), decisionId: randomUUID() });
    counters.countDuration(performance.now() - started);
    counters.countCache(store.cacheCounts());
    return answer;
  });

  store.start();
  const listener =
    address &&
    (await listen({ address, setting: "listen.authz", shared, onConnection: (socket) => server.take(socket) }));
  report({ kind: "listening", addresses: listener === undefined ? {} : { authz: listener.address } });

  return {
    drain: () => store.drain(),
    async stop() {
      listener?.close();
      await server.stop();
    },
  };
});
