import type { Socket } from "node:net";
import { ConnectionError } from "./connection-error.ts";
import { sendGoaway } from "./drain.ts";
import { Outbox } from "./outbox.ts";
import { Patience } from "./patience.ts";
import { HTTP1_ANSWER, Preface } from "./preface.ts";
import type { Cut, Service } from "./service.ts";
import { Session } from "./session.ts";

/** One connection on its socket: what arrives, what leaves, and how long each may take. */
export class Connection {
  readonly #socket: Socket;
  readonly #service: Service;
  readonly #outbox: Outbox;
  readonly #session: Session;
  readonly #preface = new Preface();
  readonly #patience: Patience;
  /** Counts how often the peer has begun to read again. */
  #drained = 0;
  #mustDrain = false;
  /** Since when nothing is said any more, and what comes is thrown away. */
  #overSinceMs: number | undefined;

  /** Takes the socket. `onClosed` is called once, when it is closed for whatever reason. */
  constructor(socket: Socket, service: Service, onClosed: (connection: Connection) => void) {
    this.#socket = socket;
    this.#service = service;
    this.#outbox = new Outbox(socket, service.pool);
    this.#session = new Session(service, this.#outbox);
    this.#patience = new Patience(service.limits, service.clock);
    socket.on("data", (chunk: Buffer) => this.#onData(chunk));
    socket.on("drain", () => this.#onDrain());
    socket.on("end", () => socket.end());
    // "close" follows, and nobody can be told.
    socket.on("error", () => {});
    socket.once("close", () => {
      this.#session.abandon();
      onClosed(this);
    });
  }

  /** Lets the calls in progress end, takes those that are under way, and closes. */
  drain(): void {
    this.#mustDrain = true;
    if (this.#overSinceMs !== undefined || !this.#preface.isComplete || this.#session.drain.isBegun) return;
    this.#guard(() => this.#session.drain.begin());
  }

  /** Closes at once. */
  destroy(): void {
    this.#socket.destroy();
  }

  /** Time has passed: so much since the last tick. */
  tick(elapsedMs: number): void {
    const { limits, clock } = this.#service;
    if (this.#overSinceMs !== undefined) {
      if (clock.ms - this.#overSinceMs >= limits.lingerMs) this.#socket.destroy();
      return;
    }
    const reading = this.#socket.isPaused() ? this.#drained : undefined;
    if (this.#patience.hasStalled(reading)) this.#cut("answers that are not read");
    else if (!this.#preface.isComplete) this.#awaitPreface();
    else {
      this.#guard(() => this.#checkTimes(elapsedMs));
      if (this.#patience.isOld) this.drain();
    }
  }

  #onData(chunk: Buffer): void {
    if (this.#overSinceMs !== undefined) return;
    if (this.#preface.isComplete) this.#guard(() => this.#session.push(chunk));
    else this.#guard(() => this.#onPreface(chunk));
  }

  #onPreface(chunk: Buffer): void {
    const rest = this.#preface.push(chunk);
    if (!this.#preface.isComplete) return;
    this.#session.greet();
    if (this.#mustDrain) this.#session.drain.begin();
    this.#session.push(rest);
  }

  /** Does something that may break the rules, and sends what comes of it in one write. */
  #guard(work: () => void): void {
    try {
      work();
      if (this.#session.drain.isOver) this.#end();
    } catch (error) {
      this.#fail(error);
    }
    this.#flush();
  }

  #flush(): void {
    this.#outbox.flush();
    // Back-pressure is not reading: answers, pings and settings cannot pile up for a peer that does not read them.
    if (this.#socket.writableNeedDrain) this.#socket.pause();
  }

  #onDrain(): void {
    this.#drained++;
    this.#socket.resume();
  }

  #checkTimes(elapsedMs: number): void {
    const session = this.#session;
    const patience = this.#patience;
    if (patience.isOwedTooLong(session.owed)) {
      throw new ConnectionError("settingsTimeout", "a frame or an acknowledgement that did not come in time");
    }
    session.tick(elapsedMs);
    if (patience.hasDrained(session.drain.isBegun)) session.drain.close();
    patience.listen(this.#socket.bytesRead);
    if (patience.isGone) this.#cut("no sign of life");
    else if (patience.isDueToAsk) session.ping();
  }

  /** One that has said nothing is not waited for once all are to end. */
  #awaitPreface(): void {
    const isLate = this.#patience.isOwedTooLong(0);
    if (isLate || (this.#mustDrain && this.#preface.isUntouched)) this.#cut("no preface");
  }

  #fail(error: unknown): void {
    const service = this.#service;
    const known = error instanceof ConnectionError ? error : new ConnectionError("internal", "an internal error");
    if (known !== error) service.onError(error);
    this.#tell(known.reason, known.message);
    service.counters.goaways[known.reason]++;
    if (known.reason === "http11Required") this.#socket.write(HTTP1_ANSWER);
    else sendGoaway(this.#outbox, this.#session.lastStreamId, known.reason, known.message);
    this.#end();
  }

  /** Says nothing more. What still comes is read for a while, or the kernel would reset the connection under it. */
  #end(): void {
    if (this.#overSinceMs !== undefined) return;
    this.#overSinceMs = this.#service.clock.ms;
    this.#outbox.flush();
    this.#socket.end();
  }

  #cut(why: string): void {
    this.#service.counters.stalled++;
    this.#tell("stalled", why);
    this.#socket.destroy();
  }

  #tell(reason: Cut["reason"], why: string): void {
    this.#service.onCut({ reason, why, remoteAddress: this.#socket.remoteAddress });
  }
}
