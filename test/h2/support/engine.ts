import { once } from "node:events";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Method } from "../../../src/h2/method.ts";
import type { Cut } from "../../../src/h2/service.ts";
import { createUnaryServer, type UnaryServer, type UnaryServerOptions } from "../../../src/h2/unary-server.ts";
import { folderForThisTest } from "../../support/for-this-test.ts";
import { RawPeer } from "./raw-peer.ts";

/** An engine that listens, for one test. */
export interface TestEngine {
  readonly server: UnaryServer;
  readonly path: string;
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

/** Starts an engine that echoes, on a Unix socket; it is stopped after the test. */
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
  // Not a port: clients of other tests, whose server is gone, go on looking for it where another may be by now.
  const path = join(folderForThisTest(), "engine.sock");
  const listener = createServer({ noDelay: true }, (socket) => server.take(socket)).listen(path);
  onTestFinished(() => {
    listener.close();
    server.stop();
  });
  await once(listener, "listening");
  const open = () => new RawPeer(connect(path));
  return {
    server,
    path,
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
