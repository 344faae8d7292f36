import { ConnectionError } from "./connection-error.ts";
import { FLAG, FRAME } from "./frame.ts";
import type { Limits } from "./limits.ts";
import type { CallParts } from "./replies.ts";
import { ourSettings, readSettings, type SettingsSink } from "./settings.ts";

/** What the two sides of a connection have told each other of their settings (RFC 9113 §3.4, §6.5). */
export class Agreement implements SettingsSink {
  readonly #parts: CallParts;
  #isHeard = false;
  #isAcknowledged = false;

  constructor(parts: CallParts) {
    this.#parts = parts;
  }

  /** Whether the peer has told its settings, and whether it has acknowledged ours. */
  get isHeard(): boolean {
    return this.#isHeard;
  }

  /** As above. */
  get isAcknowledged(): boolean {
    return this.#isAcknowledged;
  }

  /** Our side of the preface. */
  tell(limits: Limits): void {
    this.#parts.outbox.frame(FRAME.settings, 0, 0, ourSettings(limits));
    this.#parts.intake.widen();
  }

  /** The first frame of all, which is the other side of it. */
  hear(type: number, flags: number): void {
    if (type !== FRAME.settings || flags & FLAG.ack) {
      throw new ConnectionError("protocol", "a first frame that is not SETTINGS");
    }
    this.#isHeard = true;
  }

  /** A SETTINGS frame. */
  onSettings(flags: number, bytes: Buffer, start: number, end: number): void {
    if (flags & FLAG.ack) this.#onAcknowledgement(end - start);
    else {
      readSettings(bytes, start, end, this);
      this.#parts.outbox.frame(FRAME.settings, FLAG.ack, 0, NOTHING);
    }
  }

  onTableSize(bytes: number): void {
    this.#parts.outbox.limitTable(bytes);
  }

  onInitialWindow(bytes: number): void {
    // A walk over all streams.
    this.#parts.nuisance.spend("changes of windows");
    this.#parts.sender.changeInitialWindow(bytes, this.#parts.streams.open.values());
  }

  #onAcknowledgement(length: number): void {
    if (length > 0) throw new ConnectionError("frameSize", "an acknowledgement of settings that says more");
    if (this.#isAcknowledged) return;
    this.#isAcknowledged = true;
    this.#parts.intake.acknowledged(this.#parts.streams.open.values());
  }
}

const NOTHING = Buffer.alloc(0);
