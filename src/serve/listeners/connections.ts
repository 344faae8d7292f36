import type { Socket } from "node:net";
import type { CountConnection } from "../../observe/connection-counters.ts";
import { type FirstBytes, onFirstBytes } from "./first-bytes.ts";
import { QuietConnections } from "./quiet-connections.ts";

/** What a server needs to know of its connections. */
export interface ConnectionsOptions {
  /** How many may be open at once. */
  readonly limit: number;
  readonly count: CountConnection;
}

/**
 * The connections of one server, from the first byte to the last. Where as many are open as may be, a new one takes the
 * place of one that has said nothing yet, else of one on which nothing has moved for a while; else it is refused. A client
 * that speaks at once finds a place this way, however many others only connect.
 */
export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #open = new Set<Socket>();
  /** In the order in which they came. */
  readonly #silent = new Set<Socket>();
  readonly #quiet = new QuietConnections();
  readonly #noneLeft = Promise.withResolvers<void>();
  #finishing = false;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
  }

  /** Takes a connection and hands it over once its first bytes are there. */
  take(socket: Socket, { isEnough, use }: FirstBytes): void {
    const { limit, count } = this.#options;
    if (this.#open.size >= limit && !this.#makeRoom()) {
      count("full");
      socket.destroy();
      return;
    }
    count("accepted");
    this.#open.add(socket);
    this.#silent.add(socket);
    socket.once("close", () => {
      count("closed");
      this.#forget(socket);
    });
    onFirstBytes(socket, {
      isEnough,
      use: (bytes) => {
        this.#silent.delete(socket);
        use(bytes);
      },
      onTimeout: () => count("timeout"),
    });
  }

  /**
   * Ends the connections on which nothing has been said, and waits until the others are closed too. What is open after
   * `graceMs` is torn down. Returns whether nothing was.
   */
  async finish(graceMs: number): Promise<boolean> {
    this.#finishing = true;
    for (const socket of this.#silent) socket.destroy();
    let finished = true;
    const giveUp = setTimeout(() => {
      finished = false;
      for (const socket of this.#open) socket.destroy();
    }, graceMs);
    this.#settle();
    await this.#noneLeft.promise;
    clearTimeout(giveUp);
    return finished;
  }

  #makeRoom(): boolean {
    const [silent] = this.#silent;
    const chosen = silent ?? this.#quiet.longest(this.#open, performance.now());
    if (chosen === undefined) return false;
    this.#options.count("displaced");
    // Its "close" comes later, and the place is needed now.
    this.#forget(chosen);
    chosen.destroy();
    return true;
  }

  #forget(socket: Socket): void {
    this.#open.delete(socket);
    this.#silent.delete(socket);
    this.#settle();
  }

  #settle(): void {
    if (this.#finishing && this.#open.size === 0) this.#noneLeft.resolve();
  }
}
