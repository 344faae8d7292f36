import { GRPC_STATUS, grpcRefusal, Refusal } from "./answer.ts";
import { ERROR, type ErrorName } from "./connection-error.ts";
import { FRAME } from "./frame.ts";
import { PREFIX_BYTES } from "./grpc-message.ts";
import type { Intake } from "./intake.ts";
import type { Method } from "./method.ts";
import type { Nuisance } from "./nuisance.ts";
import type { Outbox } from "./outbox.ts";
import type { Sender } from "./sender.ts";
import type { Service } from "./service.ts";
import type { Stream } from "./stream.ts";
import type { Ending, Streams } from "./streams.ts";

const FAILED = grpcRefusal(GRPC_STATUS.internal, "internal error");

/** What those who serve one connection share. */
export interface CallParts {
  readonly service: Service;
  readonly outbox: Outbox;
  readonly nuisance: Nuisance;
  readonly streams: Streams;
  readonly intake: Intake;
  readonly sender: Sender;
}

/** The ways in which a call ends: with a message, a refusal or a reset. Each gives back what was held for it. */
export class Replies {
  readonly #parts: CallParts;

  constructor(parts: CallParts) {
    this.#parts = parts;
  }

  /** Calls the handler and answers with what it returns. */
  call(stream: Stream, method: Method, message: Uint8Array): void {
    const { sender } = this.#parts;
    const answer = this.#run(stream, method, message);
    if (answer instanceof Refusal) this.#sendRefusal(stream, answer);
    else if (sender.fits(stream, PREFIX_BYTES + answer.length)) {
      sender.send(stream, answer);
      this.close(stream, "finished");
    } else this.#sendLater(stream, answer.length, () => sender.begin(stream, answer));
  }

  /** Answers a request, which has ended, without a message. */
  refuse(stream: Stream, refusal: Refusal): void {
    this.#parts.service.counters.refusals++;
    this.#sendRefusal(stream, refusal);
    this.#parts.nuisance.spend("requests that are no calls");
  }

  /** Answers a request before it has ended, and asks for no more of it (RFC 9113 §8.1). */
  refuseEarly(stream: Stream, refusal: Refusal): void {
    this.#parts.service.counters.refusals++;
    // A text for people would have to wait for windows: they see the reset.
    if (refusal.body.length === 0) this.#parts.outbox.prepared(refusal.frame, stream.id);
    this.reset(stream.id, "none");
  }

  /** Ends a stream without an answer (RFC 9113 §5.4.2). */
  reset(streamId: number, reason: ErrorName): void {
    const { outbox, service, streams, nuisance } = this.#parts;
    outbox.number(FRAME.rstStream, streamId, ERROR[reason]);
    service.counters.resetsSent++;
    const stream = streams.open.get(streamId);
    if (stream === undefined) streams.close(streamId, "resetHere");
    else this.close(stream, "resetHere");
    nuisance.spend("requests that are reset");
  }

  /** A window of the peer's has opened: sends what waited for it. */
  pump(): void {
    for (const stream of this.#parts.sender.pump()) this.close(stream, "finished");
  }

  /** Lets go of a stream. */
  close(stream: Stream, ending: Ending): void {
    const { streams, intake, sender } = this.#parts;
    if (stream.answer !== undefined) sender.forget(stream);
    intake.release(stream);
    streams.close(stream.id, ending);
  }

  #run(stream: Stream, method: Method, message: Uint8Array): Uint8Array | Refusal {
    const { service, nuisance } = this.#parts;
    service.counters.calls++;
    nuisance.earn();
    try {
      const answer = method.handler(message, stream.metadata);
      if (answer instanceof Uint8Array || answer instanceof Refusal) return answer;
      throw new TypeError("the handler returned no bytes");
    } catch (error) {
      service.counters.handlerErrors++;
      service.onError(error);
      return FAILED;
    }
  }

  #sendRefusal(stream: Stream, { frame, body }: Refusal): void {
    if (body.length > 0) {
      this.#sendLater(stream, body.length, () => this.#parts.sender.beginPlain(stream, frame, body));
      return;
    }
    this.#parts.outbox.prepared(frame, stream.id);
    this.close(stream, "finished");
  }

  /** Begins an answer, which the peer's windows may stop for a while. */
  #sendLater(stream: Stream, bytes: number, begin: () => void): void {
    const { service, streams, intake } = this.#parts;
    begin();
    // Not before: the answer may have lain in the memory of the request.
    intake.release(stream);
    stream.message = undefined;
    stream.sinceMs = service.clock.ms;
    streams.open.set(stream.id, stream);
    if (intake.hold(stream, bytes)) this.pump();
    else this.reset(stream.id, "enhanceYourCalm");
  }
}
