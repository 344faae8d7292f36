import { expect, onTestFinished, test } from "vitest";
import { createAdminHandler } from "../../src/admin/api.ts";
import { createWatches } from "../../src/admin/audit/watches.ts";
import { createSigningKeyRing } from "../../src/admin/signing/signing-key-ring.ts";
import { createTokenSigner } from "../../src/admin/signing/token-signer.ts";
import { formatAddress } from "../../src/config/address.ts";
import { createMetricMemory, MetricCells } from "../../src/observe/metrics/cells.ts";
import { createAdminServer } from "../../src/serve/listeners/admin-server.ts";
import { listen } from "../../src/serve/listeners/listen.ts";
import { ServingSwitch } from "../../src/serve/serving-switch.ts";
import { createBoard, publish } from "../../src/serve/threads/board.ts";
import { openStore } from "../../src/store/store.ts";
import { adminCall } from "../support/admin-call.ts";
import { folderForThisTest } from "../support/for-this-test.ts";
import { policyOf } from "../support/policies.ts";
import { ratesAt } from "../support/rates.ts";

/** The admin API on a socket, beside check threads of which nothing is there but their cells on the board. */
async function adminBeside(applied: readonly bigint[]) {
  const folder = folderForThisTest();
  const store = openStore(`${folder}/keyward.db`);
  onTestFinished(() => store.close());
  const board = createBoard(applied.length);
  board.applied.set(applied);
  const program = { version: "0.0.0", mode: "all", startedAtMs: 0, database: folder };
  const keyLifetime = { defaultMs: undefined, maxMs: undefined };
  const policy = policyOf([]);
  const parties = { issuer: "keyward", audience: "keyward" };
  const signingKeys = createSigningKeyRing(store, undefined);
  const signer = createTokenSigner(signingKeys, store, policy.scopes, parties);
  const settings = {
    policy,
    rates: ratesAt(() => 0n),
    trustedHops: 0,
    denials: [],
    tenants: new Map(),
    login: () => Promise.reject(new Error("nobody calls over the network")),
    keyLifetime,
    signingKeys,
    signer,
    restFormat: "opaque",
  } as const;
  const shutdownSignal = new AbortController().signal;
  const metrics = new MetricCells(createMetricMemory(1), 0);
  const api = {
    store,
    board,
    state: new ServingSwitch(),
    program,
    log: () => {},
    metrics,
    watches: createWatches(metrics),
    shutdownSignal,
    ...settings,
  };
  const server = createAdminServer(createAdminHandler(api, true), () => {});
  const address = { kind: "unix", path: `${folder}/admin.sock` } as const;
  const listener = await listen({ address, setting: "listen.admin_local", onConnection: server.take });
  onTestFinished(() => listener.close());
  return { board, socket: formatAddress(listener.address).slice("unix:".length) };
}

const LATE = "not every check thread has applied the change within 1000 ms; it is stored, and they will";

test.each<[string, readonly bigint[], object]>([
  ["is told as not enforced where a check thread hangs", [0n], { enforced: false, warning: LATE }],
  ["is told as not enforced where one of three hangs", [5n, 0n, 5n], { enforced: false, warning: LATE }],
  ["is told as enforced where all have applied it", [5n, 5n, 5n], { enforced: true }],
])("a change %s", async (_, applied, expected) => {
  const { socket } = await adminBeside(applied);
  const { enforced, warning } = await adminCall(socket, "KeyService/CreateKey", { name: "x" });
  expect({ enforced, ...(warning && { warning }) }).toEqual(expected);
});

test("a change without check threads in the process says who will follow", async () => {
  const { socket } = await adminBeside([]);
  const answer = await adminCall(socket, "KeyService/CreateKey", { name: "x" });
  expect([answer.enforced, answer.warning]).toEqual([
    undefined,
    "no checks are served by this process; another process on this database follows within 100 ms",
  ]);
});

test("a change is answered once the last check thread has applied it, and not before", async () => {
  const { socket, board } = await adminBeside([0n, 0n]);
  const events: string[] = [];
  const answered = adminCall(socket, "KeyService/CreateKey", { name: "x" }).then(({ enforced }) => {
    events.push(`answered, enforced: ${enforced}`);
  });
  await Atomics.waitAsync(board.head, 0, 0n).value;
  events.push("the change is announced");
  publish(board.applied, 0, 1n);
  await new Promise(setImmediate);
  events.push("the second thread applies it");
  publish(board.applied, 1, 1n);
  await answered;
  expect(events).toEqual(["the change is announced", "the second thread applies it", "answered, enforced: true"]);
});
