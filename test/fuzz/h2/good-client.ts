import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { CALL, message } from "../../h2/support/frames.ts";

/** Calls that must succeed, one after the other on one connection. */
export interface GoodClient {
  /** How many have succeeded by now. */
  readonly calls: number;
  /** Rejects as soon as one has not. Never resolves. */
  readonly failed: Promise<never>;
  stop(): void;
}

/** Long enough for any machine: what takes longer will never come. */
const GIVE_UP_AFTER_MS = 20_000;

const PAUSE_MS = 2;

/** Begins to call, by Node's own HTTP/2, which is nghttp2. */
export function startGoodClient(path: string): GoodClient {
  const session = connectHttp2("http://localhost", { createConnection: () => connect(path) });
  let calls = 0;
  let going = true;
  const callOnce = async () => {
    const body = message(`call ${calls} ${"x".repeat((calls * 97) % 20_000)}`);
    const stream = session.request(Object.fromEntries(CALL), { signal: AbortSignal.timeout(GIVE_UP_AFTER_MS) });
    stream.end(body);
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    if (!Buffer.concat(chunks).equals(body)) throw new Error("the answer to a good call is another");
    calls++;
  };
  const callAlways = async () => {
    while (going) {
      await callOnce();
      await delay(PAUSE_MS);
    }
  };
  const { promise: failed, reject } = Promise.withResolvers<never>();
  // It is looked at while something is said to the servers, and may come in between.
  failed.catch(() => {});
  const fail = (cause: unknown) => going && reject(new Error("a good call has failed", { cause }));
  session.on("error", fail);
  session.on("goaway", (code) => fail(`GOAWAY ${code}`));
  callAlways().catch(fail);
  return {
    failed,
    get calls() {
      return calls;
    },
    stop() {
      going = false;
      session.destroy();
    },
  };
}
