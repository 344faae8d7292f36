import { ConnectionError } from "./connection-error.ts";
import type { Stream } from "./stream.ts";

/** How a stream ended, for the frames that still come on it. */
export type Ending = "finished" | "resetByPeer" | "resetHere";

/** How many endings are remembered, beside those of streams that were reset from here. */
const REMEMBERED = 256;

/** The streams of one connection: those that are open, and how the last others ended (RFC 9113 §5.1). */
export class Streams {
  readonly open = new Map<number, Stream>();
  /** The highest number that was used; what lies below was used, too, or never can be (RFC 9113 §5.1.1). */
  lastId = 0;
  /** The last GOAWAY has named that number: what comes on a higher one is read over (RFC 9113 §6.8). */
  isClosed = false;
  readonly #finished = new Recent(REMEMBERED);
  readonly #resetByPeer = new Recent(REMEMBERED);
  /** As many as may be open: a peer may send to each of them until our reset arrives. */
  readonly #resetHere: Recent;

  constructor(maxOpen: number) {
    this.#resetHere = new Recent(maxOpen);
  }

  /** Ends a stream, which may never have been open. */
  close(id: number, ending: Ending): void {
    this.open.delete(id);
    if (ending === "finished") this.#finished.add(id);
    else if (ending === "resetByPeer") this.#resetByPeer.add(id);
    else this.#resetHere.add(id);
  }

  /** Throws ConnectionError where a stream is spoken of that has not begun. */
  checkBegun(id: number, what: string): void {
    if (id > this.lastId && !this.isClosed) {
      throw new ConnectionError("protocol", `${what} on a stream that has not begun`);
    }
  }

  /**
   * Throws ConnectionError where a request goes on that has ended, or was never there. After a reset of ours it may: the
   * peer had not heard of it.
   */
  checkMayGoOn(id: number): void {
    if (id > this.lastId || this.#resetHere.has(id)) return;
    if (this.#finished.has(id) || this.#resetByPeer.has(id)) {
      throw new ConnectionError("streamClosed", "a request that goes on after its end");
    }
    throw new ConnectionError("protocol", "a stream whose number was passed over, or ended long ago");
  }
}

/** The last few numbers that were added. */
class Recent {
  readonly #ids: Int32Array;
  #next = 0;

  constructor(count: number) {
    this.#ids = new Int32Array(count);
  }

  add(id: number): void {
    this.#ids[this.#next] = id;
    this.#next = this.#next + 1 === this.#ids.length ? 0 : this.#next + 1;
  }

  has(id: number): boolean {
    return this.#ids.includes(id);
  }
}
