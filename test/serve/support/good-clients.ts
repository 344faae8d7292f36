import { Agent } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { sendHttp1 } from "../../admin/support/http.ts";
import { askAbout } from "../../check/http/support/asking.ts";
import { createCheckClient } from "../../support/check-client.ts";
import { askForwardAuth } from "../../support/forward-auth.ts";
import type { Keyward } from "../../support/keyward.ts";

/** Clients of every listener, which ask again and again and note what else they get than what they should. */
export interface GoodClients {
  /** Resolves once each has been answered again, from the question to the answer. */
  servedAgain(): Promise<void>;
  /** Ends them, and tells what was wrong. */
  stop(): Promise<string[]>;
}

const PAUSE_MS = 20;

/** Starts a client of each listener, with connections that it shares with nobody; `secret` opens. */
export function startGoodClients(keyward: Keyward, secret: string): GoodClients {
  const checks = createCheckClient(keyward.authz);
  // One that is made anew while hundreds of others are may be silent for too long: this process makes those as well.
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const health = {
    path: "/grpc.health.v1.Health/Check",
    headers: { "content-type": "application/json" },
    body: "{}",
    agent,
  };
  const headers = [["x-api-key", secret]] as const;
  const questions: Readonly<Record<string, () => Promise<unknown>>> = {
    "authz: allowed": async () => (await checks.present(secret)).reason,
    "authz: malformed_credential": async () => (await checks.present(`${secret}0`)).reason,
    "forward_auth: 200": async () => (await askForwardAuth(keyward.forwardAuth, askAbout("nginx", { headers }))).status,
    "admin: 200": async () => (await sendHttp1(keyward.admin, health)).status,
    "ops: 200": async () => (await sendHttp1(keyward.ops, { method: "GET", path: "/readyz", agent })).status,
  };
  const wrong: string[] = [];
  let isGoing = true;
  const waiting = new Set<() => void>();
  const ask = async ([expected, question]: [string, () => Promise<unknown>]) => {
    const name = expected.split(":", 1)[0];
    const got = `${name}: ${await question().catch((error: Error) => `${error.message} ${error.cause ?? ""}`)}`;
    if (got !== expected) wrong.push(`${got} instead of ${expected}`);
  };
  const round = async () => {
    while (isGoing) {
      const served = [...waiting];
      await Promise.all(Object.entries(questions).map(ask));
      for (const resolve of served) waiting.delete(resolve) && resolve();
      await delay(PAUSE_MS);
    }
  };
  const going = round();
  return {
    servedAgain: () => new Promise<void>((resolve) => waiting.add(resolve)),
    async stop() {
      isGoing = false;
      await going;
      checks.close();
      agent.destroy();
      return wrong;
    },
  };
}
