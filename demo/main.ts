/**
 * `npm run demo`: a real Envoy, Keyward and an upstream on this machine, and a table of what gets through.
 * It then stays up for you to try; `npm run demo -- --once` ends after the table, with 1 if any row differs.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { startEnvoy } from "../test/support/envoy.ts";
import { shippedEnvoyConfig } from "./envoy-config.ts";
import { invitation } from "./invitation.ts";
import { createKeys, type DemoKey } from "./keys.ts";
import { startKeyward } from "./keyward.ts";
import { revokedRow, rows } from "./rows.ts";
import { send } from "./send.ts";
import { type Outcome, printTable } from "./table.ts";
import { startUpstream } from "./upstream.ts";

const progress = (line: string) => process.stderr.write(`${line}\n`);

const interrupted = new Promise<void>((resolve) => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => resolve());
});

/** Run in reverse at the end, whatever the end is. */
const undo: (() => Promise<void>)[] = [];

/** What a shell expects of a program interrupted before it had its result. */
let exitCode = 130;

try {
  await Promise.race([demo(), interrupted]);
} catch (error) {
  progress(error instanceof Error ? error.message : String(error));
  exitCode = 1;
}
for (const step of undo.reverse()) await step();
process.exit(exitCode);

async function demo(): Promise<void> {
  const { once } = parseArgs({ options: { once: { type: "boolean", default: false } } }).values;
  const folder = await mkdtemp(join(tmpdir(), "keyward-"));
  undo.push(() => rm(folder, { recursive: true, force: true }));
  const upstream = await startUpstream();
  undo.push(upstream.stop);

  progress("starting Keyward …");
  const keyward = await startKeyward(folder);
  undo.push(keyward.stop);

  progress("starting Envoy … (the first time on a machine it is fetched, some 35 MB)");
  const config = await shippedEnvoyConfig({ keyward: keyward.authzPort, upstream: upstream.port });
  const envoy = await startEnvoy({ config });
  undo.push(envoy.stop);
  const port = envoy.port("ingress");

  progress("creating keys …");
  const keys = await createKeys(keyward);
  await expired(port, keys.brief);

  progress("sending requests …");
  const outcomes: Outcome[] = [];
  for (const row of rows(keys)) outcomes.push({ row, answer: await send(port, row.request) });
  await keyward.cli("keys", "revoke", keys.leaver.start, "--reason", "left the company");
  const last = revokedRow(keys);
  outcomes.push({ row: last, answer: await send(port, last.request) });

  exitCode = printTable(outcomes) ? 0 : 1;
  if (once) return;
  process.stdout.write(invitation(port, keys, keyward));
  throw new Error(await Promise.race([keyward.ended, envoy.ended]));
}

/** Resolves once the key is refused as expired, or after 10 s: then the table shows what it is instead. */
async function expired(port: number, { secret }: DemoKey): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline) {
    const { reason } = await send(port, { path: "/v1/orders", secret });
    if (reason === "key_expired") return;
    await delay(50);
  }
}
