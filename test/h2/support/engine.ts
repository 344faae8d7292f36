import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { onTestFinished } from "vitest";
import type { Method } from "../../../src/h2/method.ts";
import type { Cut } from "../../../src/h2/service.ts";
import { createUnaryServer, type UnaryServer, type UnaryServerOptions } from "../../../src/h2/unary-server.ts";
import { RawPeer } from "./raw-peer.ts";

/** An engine that listens, for one test. */
export interface TestEngine {
  readonly server: UnaryServer;
  readonly port: number;
  /** Why connections were ended, in their order. */
  readonly cuts: Cut[];
  readonly errors: unknown[];
  /** A connection on which nothing has been said. */
  connect(): RawPeer;
  /** A connection behind its preface and settings. */
  greet(...frames: readonly Uint8Array[]): Promise<RawPeer>;
}

/** Answers with what it is asked. */
export const ECHO: Method = { handler: (message) => message };

/** Starts an engine that echoes; it is stopped after the test. */
export async function startEngine(options: Partial<UnaryServerOptions> = {}): Promise<TestEngine> {
  const cuts: Cut[] = [];
  const errors: unknown[] = [];
  const server = createUnaryServer({
    methods: new Map([["/test.Echo/Echo", ECHO]]),
    onCut: (cut) => cuts.push(cut),
    onError: (error) => errors.push(error),
    tickMs: 10,
    ...options,
  });
  const listener = createServer({ noDelay: true }, (socket) => server.take(socket)).listen(0, "127.0.0.1");
  onTestFinished(() => {
    listener.close();
    server.stop();
  });
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  const open = () => new RawPeer(connect(port, "127.0.0.1"));
  return {
    server,
    port,
    cuts,
    errors,
    connect: open,
    async greet(...frames) {
      const peer = open();
      await peer.greet(...frames);
      return peer;
    },
  };
}
