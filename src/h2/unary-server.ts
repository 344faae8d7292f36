import type { Socket } from "node:net";
import { Connection } from "./connection.ts";
import { type Counters, createCounters } from "./counters.ts";
import { DEFAULT_LIMITS, type Limits } from "./limits.ts";
import { Memory } from "./memory.ts";
import type { Method } from "./method.ts";
import { ChunkPool } from "./outbox.ts";
import type { Cut, Service } from "./service.ts";

/** What a server is made of. */
export interface UnaryServerOptions {
  /** By path, such as `/grpc.health.v1.Health/Check`. Any other path is answered UNIMPLEMENTED. */
  readonly methods: ReadonlyMap<string, Method>;
  /** What differs from `DEFAULT_LIMITS`. */
  readonly limits?: Partial<Limits>;
  /** How often time is looked at: the grain of all time limits. */
  readonly tickMs?: number;
  /** Told of each connection that is ended before its peer wanted it. Nothing bounds how often. */
  readonly onCut?: (cut: Cut) => void;
  /** Told of each defect: a handler that threw, or an error of the engine's own. */
  readonly onError?: (error: unknown) => void;
}

/** Serves unary gRPC calls over HTTP/2 on connections that somebody else accepts. */
export interface UnaryServer {
  readonly counters: Readonly<Counters>;
  /** How many connections there are now, and how many bytes are held for unfinished calls on them. */
  readonly connections: number;
  readonly heldBytes: number;
  /** Serves a connection that was just accepted. One of TLS must have agreed on `h2` (ALPN); any other is closed. */
  take(socket: Socket): void;
  /** Ends every connection, those still to come included, without losing a call. Resolves once all are closed. */
  drain(): Promise<void>;
  /** Closes every connection at once. */
  stop(): void;
}

/** A second: far shorter than any limit, and long enough to cost nothing. */
const TICK_MS = 1_000;
/** A tick that is late by more than another was held up. */
const MAX_TICKS_AT_ONCE = 2;

/** Makes a server without a connection. Its timer does not keep the program alive. */
export function createUnaryServer(options: UnaryServerOptions): UnaryServer {
  return new Server(options);
}

class Server implements UnaryServer {
  readonly #service: Service & { readonly counters: Counters };
  readonly #open = new Set<Connection>();
  readonly #tickMs: number;
  #timer: NodeJS.Timeout | undefined;
  #tickedAtMs = 0;
  #noneLeft: PromiseWithResolvers<void> | undefined;

  constructor({ methods, limits, tickMs = TICK_MS, onCut = ignore, onError = ignore }: UnaryServerOptions) {
    const all = { ...DEFAULT_LIMITS, ...limits };
    this.#tickMs = tickMs;
    this.#service = {
      methods,
      limits: all,
      counters: createCounters(),
      memory: new Memory(all.maxHeldBytes),
      pool: new ChunkPool(),
      clock: { ms: 0 },
      onCut,
      onError,
    };
  }

  get counters(): Readonly<Counters> {
    return this.#service.counters;
  }

  get connections(): number {
    return this.#open.size;
  }

  get heldBytes(): number {
    return this.#service.memory.held;
  }

  take(socket: Socket): void {
    const { counters, limits } = this.#service;
    const isOther = "alpnProtocol" in socket && socket.alpnProtocol !== "h2";
    if (isOther || this.#open.size >= limits.maxConnections) {
      counters.connectionsRefused++;
      socket.on("error", ignore);
      socket.destroy();
      return;
    }
    counters.connectionsOpened++;
    this.#startClock();
    const connection = new Connection(socket, this.#service, (closed) => this.#onClosed(closed));
    this.#open.add(connection);
    if (this.#noneLeft !== undefined) connection.drain();
  }

  drain(): Promise<void> {
    this.#noneLeft ??= Promise.withResolvers<void>();
    for (const connection of this.#open) connection.drain();
    this.#settle();
    return this.#noneLeft.promise;
  }

  stop(): void {
    for (const connection of this.#open) connection.destroy();
  }

  #onClosed(connection: Connection): void {
    this.#open.delete(connection);
    this.#service.counters.connectionsClosed++;
    this.#settle();
  }

  #settle(): void {
    if (this.#open.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#noneLeft?.resolve();
  }

  /** It runs only while there is a connection. */
  #startClock(): void {
    if (this.#timer !== undefined) return;
    this.#tickedAtMs = performance.now();
    this.#timer = setInterval(() => this.#tick(), this.#tickMs);
    this.#timer.unref();
  }

  /** Peers are given time that this program has: while it was stopped, what they said has waited, and is read only now. */
  #tick(): void {
    const nowMs = performance.now();
    const elapsedMs = Math.min(nowMs - this.#tickedAtMs, MAX_TICKS_AT_ONCE * this.#tickMs);
    this.#tickedAtMs = nowMs;
    this.#service.clock.ms += elapsedMs;
    for (const connection of this.#open) connection.tick(elapsedMs);
  }
}

function ignore(): void {}
