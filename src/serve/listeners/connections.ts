import type { Socket } from "node:net";
import { onFirstBytes } from "./first-bytes.ts";

/** The connections of one server, from the first byte to the last. */
export class Connections {
  readonly #open = new Set<Socket>();
  readonly #silent = new Set<Socket>();
  readonly #noneLeft = Promise.withResolvers<void>();
  #finishing = false;

  /** Takes a connection and hands it over, with its first `count` bytes, once they are there. */
  take(socket: Socket, count: number, use: (bytes: Buffer) => void): void {
    this.#open.add(socket);
    this.#silent.add(socket);
    socket.once("close", () => {
      this.#open.delete(socket);
      this.#silent.delete(socket);
      this.#settle();
    });
    onFirstBytes(socket, count, (bytes) => {
      this.#silent.delete(socket);
      use(bytes);
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

  #settle(): void {
    if (this.#finishing && this.#open.size === 0) this.#noneLeft.resolve();
  }
}
