import { Agent, request } from "node:http";
import { setTimeout as delay } from "node:timers/promises";

/** Requests that go on for as long as a test needs them. */
export interface SteadyLoad {
  /** How many have been answered by now. */
  readonly answered: number;
  /** Ends it and tells how often each thing came of a request: a status, or the error of a connection. */
  stop(): Promise<Readonly<Record<string, number>>>;
}

/** How long a caller pauses between two requests: with ten callers a few hundred a second. */
const PAUSE_MS = 25;

/** Sends requests that present a secret to a loopback port, from so many callers, each over a connection of its own. */
export function startSteadyLoad(port: number, secret: string, callers = 10): SteadyLoad {
  const agent = new Agent({ keepAlive: true, maxSockets: callers });
  const outcomes: Record<string, number> = {};
  let answered = 0;
  let going = true;
  const once = () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const headers = { host: "api.test", authorization: `Bearer ${secret}` };
    const outgoing = request({ host: "127.0.0.1", port, agent, headers }, (response) => {
      response.on("end", () => resolve(String(response.statusCode))).resume();
    });
    outgoing.on("error", ({ message }) => resolve(message)).end();
    return promise;
  };
  const call = async () => {
    while (going) {
      const outcome = await once();
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      answered++;
      await delay(PAUSE_MS);
    }
  };
  const calls = Array.from({ length: callers }, call);
  return {
    get answered() {
      return answered;
    },
    async stop() {
      going = false;
      await Promise.all(calls);
      agent.destroy();
      return outcomes;
    },
  };
}
