import type { Socket } from "node:net";

/** A connection on which nothing has moved for this long may be taken from its peer, who can open another. */
const QUIET_AFTER_MS = 10_000;

/** How often all connections are looked at while there is no room: it takes about a millisecond for a thousand. */
const LOOK_INTERVAL_MS = 1_000;

interface Seen {
  readonly bytes: number;
  readonly sinceMs: number;
}

/** Finds connections on which nothing moves. Costs nothing as long as nobody asks, which is when there is no room. */
export class QuietConnections {
  #seen = new WeakMap<Socket, Seen>();
  #longestFirst: Socket[] = [];
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  /** The connection that has been quiet the longest, each once; undefined: none has been for long enough. */
  longest(open: ReadonlySet<Socket>, nowMs: number): Socket | undefined {
    if (nowMs - this.#lookedAtMs >= LOOK_INTERVAL_MS) {
      this.#lookedAtMs = nowMs;
      this.#longestFirst = this.#look(open, nowMs);
    }
    for (let socket = this.#longestFirst.pop(); socket !== undefined; socket = this.#longestFirst.pop()) {
      if (open.has(socket) && bytesOf(socket) === this.#seen.get(socket)?.bytes) return socket;
    }
    return undefined;
  }

  /** Those that are quiet, the longest last. One that is seen for the first time may have moved just now. */
  #look(open: ReadonlySet<Socket>, nowMs: number): Socket[] {
    const quiet: [Socket, number][] = [];
    for (const socket of open) {
      const bytes = bytesOf(socket);
      const before = this.#seen.get(socket);
      if (before?.bytes !== bytes) this.#seen.set(socket, { bytes, sinceMs: nowMs });
      else if (nowMs - before.sinceMs >= QUIET_AFTER_MS) quiet.push([socket, before.sinceMs]);
    }
    return quiet.sort(([, one], [, other]) => other - one).map(([socket]) => socket);
  }
}

function bytesOf({ bytesRead, bytesWritten }: Socket): number {
  return bytesRead + bytesWritten;
}
