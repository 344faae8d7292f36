import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { Connections } from "../../src/serve/listeners/connections.ts";
import { QuietConnections } from "../../src/serve/listeners/quiet-connections.ts";
import { until } from "../support/until.ts";

/** A server that takes so many connections and returns what it is sent, and what was counted of them. */
async function echoForThisTest(limit: number) {
  const counts: Record<string, number> = {};
  const count = (event: string) => {
    counts[event] = (counts[event] ?? 0) + 1;
  };
  const connections = new Connections({ limit, count });
  const use = (socket: Socket) => () => void socket.pipe(socket);
  const server = createServer((socket) => {
    socket.on("error", () => {});
    connections.take(socket, { isEnough: () => true, use: use(socket) });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const open = () => {
    const socket = connect(port, "127.0.0.1").on("error", () => {});
    onTestFinished(() => {
      socket.destroy();
    });
    return socket;
  };
  return { counts, connections, open };
}

/** Says something and waits for the answer. */
async function isAnswered(socket: Socket): Promise<boolean> {
  socket.write("hello");
  return Promise.race([once(socket, "data").then(() => true), once(socket, "close").then(() => false)]);
}

test("where there is no room, the one that has been silent the longest makes room", async () => {
  const { counts, open } = await echoForThisTest(3);
  const speaker = open();
  expect(await isAnswered(speaker)).toBe(true);
  const silent = [open(), open()];
  await until("all are taken", () => counts.accepted === 3);
  const firstGone = Promise.race(silent.map((socket, place) => once(socket, "close").then(() => place)));
  expect(await isAnswered(open())).toBe(true);
  expect(await firstGone).toBe(0);
  expect(await isAnswered(speaker)).toBe(true);
  expect(counts).toEqual({ accepted: 4, displaced: 1, closed: 1 });
});

test("where all have just spoken, the next one is refused, and has room once one has gone", async () => {
  const { counts, open } = await echoForThisTest(2);
  const speakers = [open(), open()];
  for (const speaker of speakers) expect(await isAnswered(speaker)).toBe(true);
  expect(await isAnswered(open())).toBe(false);
  for (const speaker of speakers) expect(await isAnswered(speaker)).toBe(true);
  speakers[0]?.destroy();
  await until("its place is free", () => counts.closed === 1);
  expect(await isAnswered(open())).toBe(true);
  expect(counts).toEqual({ accepted: 3, full: 1, closed: 1 });
});

test("what is open when the time is over is torn down, and told of", async () => {
  const { counts, connections, open } = await echoForThisTest(9);
  const [speaker, silent] = [open(), open()];
  expect(await isAnswered(speaker)).toBe(true);
  await until("both are taken", () => counts.accepted === 2);
  expect(await connections.finish(20)).toBe(false);
  expect(counts.closed).toBe(2);
  await Promise.all([speaker, silent].map((socket) => socket.destroyed || once(socket, "close")));
});

test("when all have gone in time, everything has finished", async () => {
  const { connections, open, counts } = await echoForThisTest(9);
  const speaker = open();
  expect(await isAnswered(speaker)).toBe(true);
  speaker.destroy();
  expect(await connections.finish(20_000)).toBe(true);
  expect(counts).toEqual({ accepted: 1, closed: 1 });
});

test("a connection is quiet once nothing has moved for ten seconds, and the one that is quiet the longest is chosen", () => {
  const socketOf = (bytesRead: number) => ({ bytesRead, bytesWritten: 0 }) as Socket & { bytesRead: number };
  const [early, late, busy] = [socketOf(24), socketOf(24), socketOf(24)] as const;
  const quiet = new QuietConnections();
  const rows: [atMs: number, open: Socket[], chosen: Socket | undefined][] = [
    [0, [early, busy], undefined],
    [5_000, [early, late, busy], undefined],
    [9_999, [early, late, busy], undefined],
    [11_000, [early, late, busy], early],
    [11_500, [late, busy], undefined],
    [14_999, [late, busy], undefined],
    [16_000, [late, busy], late],
    [16_001, [busy], undefined],
  ];
  for (const [atMs, open, chosen] of rows) {
    expect(quiet.longest(new Set(open), atMs), `at ${atMs}`).toBe(chosen);
    busy.bytesRead++;
  }
});
