import { existsSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { type AdminApi, createAdminHandler } from "../admin/api.ts";
import { createSigningKeyRing } from "../admin/signing/signing-key-ring.ts";
import { createTokenSigner } from "../admin/signing/token-signer.ts";
import type { Address } from "../config/address.ts";
import { compilePolicy } from "../policy/policy.ts";
import { openStore } from "../store/store.ts";
import { createAdminServer } from "./admin-server.ts";
import { openBoard } from "./board.ts";
import { makeFirstAdminKeys } from "./first-admin-key.ts";
import { listen } from "./listen.ts";
import { ServingSwitch } from "./serving-switch.ts";
import { runThread } from "./thread.ts";
import { createThreadLog, type ThreadData } from "./thread-messages.ts";

// The body of the writer thread: the only writing handle, and the admin listeners in front of it.

/** Only who runs this program may connect: on the local admin socket nobody is asked for a key. */
const LOCAL_SOCKET_MODE = 0o600;

/** How often the thread looks whether the database was replaced; until then every change is refused. */
const FILE_CHECK_INTERVAL_MS = 1_000;

const { settings, board: buffer, checkThreads, version, startedAtMs } = workerData as ThreadData;

await runThread(parentPort, async (report) => {
  const log = createThreadLog(report);
  const board = openBoard(buffer, checkThreads);
  const store = openStore(settings.database);
  makeFirstAdminKeys(store, settings, log);

  const state = new ServingSwitch();
  const program = { version, mode: settings.mode, startedAtMs, database: settings.database };
  const compiled = compilePolicy(settings.policy);
  if ("problems" in compiled) throw new Error("the policy was not validated before it was handed to a thread");
  const { scopes } = compiled.policy;
  const shutdown = new AbortController();
  const { keyLifetime, tenants, encryptionKey, jwt } = settings;
  const signingKeys = createSigningKeyRing(store, encryptionKey);
  const signer = createTokenSigner(signingKeys, store, scopes, jwt);
  for (const { kid, alg } of signingKeys.unusable()) {
    log("warn", "the encryption key does not open a signing key, or there is none: no key can be signed", { kid, alg });
  }
  const api: AdminApi = {
    store,
    board,
    state,
    program,
    scopes,
    tenants,
    keyLifetime,
    signingKeys,
    signer,
    log,
    shutdownSignal: shutdown.signal,
  };
  const network = createAdminServer(createAdminHandler(api, false));
  const local = createAdminServer(createAdminHandler(api, true));
  const { admin, adminLocal } = settings.listen;
  const listeners = [
    admin && (await listen({ address: admin, setting: "listen.admin", onConnection: network.take })),
    adminLocal &&
      (await listen({
        address: adminLocal,
        setting: "listen.admin_local",
        socketMode: LOCAL_SOCKET_MODE,
        onConnection: local.take,
      })),
  ];
  const addresses: Record<string, Address> = {};
  if (listeners[0]) addresses.admin = listeners[0].address;
  if (listeners[1]) addresses.admin_local = listeners[1].address;
  setInterval(() => {
    if (!store.isReplaced() || !existsSync(settings.database)) return;
    log("error", "the database file has been replaced; a new writer thread opens it");
    store.close();
    process.exit(1);
  }, FILE_CHECK_INTERVAL_MS).unref();
  report({ kind: "listening", addresses });

  return {
    drain: () => state.set(false),
    async stop() {
      for (const listener of listeners) listener?.close();
      state.end();
      shutdown.abort();
      await Promise.all([network.stop(), local.stop()]);
      store.close();
    },
  };
});
