import type { Cut } from "../h2/service.ts";
import { createGatheredLine } from "./gathered-line.ts";
import type { Log } from "./log.ts";

/**
 * Makes what is told of connections to the engine that were cut: one line in ten seconds for all of them, with how many
 * there were, and of the last one why in words and whose it was.
 */
export function createCutConnections(log: Log): (cut: Cut) => void {
  let count = 0;
  let last: Cut | undefined;

  const askForLine = createGatheredLine(() => {
    log("warn", "connections to listen.authz were ended for what their peers did", {
      count,
      why: last?.why,
      cause: last?.reason,
      address: last?.remoteAddress,
    });
    count = 0;
  });

  return (cut) => {
    last = cut;
    count++;
    askForLine();
  };
}
