import { type Campaign, tryOutSlowly } from "../../support/campaign.ts";
import { openArena } from "./arena.ts";
import { type Garbled, rounds, saidIn } from "./connections.ts";

/** What is there when all is over and the garbage gone: 7 MB, and more where each connection left something behind. */
const MAX_HEAP_BYTES = 32 * 1024 * 1024;

/** Fewer answers for each connection would mean that hardly anything is left of what clients say. */
const LEAST_ANSWERED = 0.5;

/** Tries rounds of connections until the campaign's bound, and says in words what came of it. Throws where harm was done. */
export async function tryConnections(campaign: Campaign): Promise<string> {
  let arena = await openArena();
  let [connections, bytes] = [0, 0];
  const holds = async (round: Garbled[]) => {
    const all = round.map(saidIn);
    connections += all.length;
    bytes += all.reduce((sum, said) => sum + said.bytes.length, 0);
    try {
      await arena.play(all);
    } catch (error) {
      // A smaller case is looked for from the beginning.
      await arena.stop();
      arena = await openArena();
      throw error;
    }
  };
  try {
    const { cases, seconds } = await tryOutSlowly(rounds, holds, campaign);
    const { calls, goodCalls, heapBytes, residentBytes } = await arena.told();
    if (heapBytes > MAX_HEAP_BYTES) throw new Error(`${heapBytes} bytes are left when all is over`);
    if (calls - goodCalls < connections * LEAST_ANSWERED)
      throw new Error(`only ${calls} calls: too few to say anything`);
    return (
      `${connections} connections in ${cases} rounds, ${megabytes(bytes)} said, ${calls - goodCalls} of their calls and ` +
      `${goodCalls} good ones answered, in ${seconds.toFixed(1)} s; ${megabytes(heapBytes)} are left on the heap, ` +
      `${megabytes(residentBytes)} resident`
    );
  } finally {
    await arena.stop();
  }
}

function megabytes(count: number): string {
  return `${(count / 1e6).toFixed(0)} MB`;
}
