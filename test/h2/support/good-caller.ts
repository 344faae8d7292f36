import { expect } from "vitest";
import type { TestEngine } from "./engine.ts";
import { call, INITIAL_WINDOW_SIZE, message, settings, windowUpdate } from "./frames.ts";

/** Makes one call, which must be answered. */
export type GoodCall = () => Promise<void>;

/** A client that does everything right on a connection of its own, which must last. */
export async function goodCaller(engine: TestEngine): Promise<GoodCall> {
  const peer = await engine.greet(settings([INITIAL_WINDOW_SIZE, 0x7fff_ffff]), windowUpdate(0, 0x7000_0000));
  let streamId = -1;
  return async () => {
    streamId += 2;
    peer.send(call(streamId, `good ${streamId}`));
    expect((await peer.answer(streamId)).body).toEqual(message(`good ${streamId}`));
    expect(peer.isClosed).toBe(false);
  };
}
