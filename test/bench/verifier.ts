import { createCheckClient } from "../support/check-client.ts";
import { CHECK_PATH } from "./children/constant.ts";
import type { Server } from "./server.ts";

/** What ends what was started, last first. */
export type Stops = (() => Promise<void> | void)[];

/** Another client than the one that makes the load. Both reject where the answer is another than it should be. */
export interface Verifier {
  /** Expects a reason, and an allow exactly where that is "allowed". */
  reason(request: Uint8Array, expected: string): Promise<void>;
  bytes(request: Uint8Array, expected: Buffer): Promise<void>;
  answer(request: Uint8Array): Promise<Buffer>;
}

/** Connects to a server. */
export function createVerifier(name: string, { authz }: Server, stops: Stops): Verifier {
  const client = createCheckClient(authz);
  stops.push(client.close);
  const answer = (request: Uint8Array) => client.call(CHECK_PATH, request);
  return {
    answer,
    async reason(request, expected) {
      const { reason, code } = await client.checkBytes(request);
      const isRight = reason === expected && (code === 0) === (expected === "allowed");
      if (!isRight) throw new Error(`${name} answered ${code} ${reason} instead of ${expected}`);
    },
    async bytes(request, expected) {
      if (!(await answer(request)).equals(expected)) throw new Error(`${name} answered something else`);
    },
  };
}
