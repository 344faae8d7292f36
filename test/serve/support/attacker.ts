import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** What a peer does to a listener at `host:port`. What it opens stays open until the test is over. */
export type Attack = (address: string) => Promise<unknown>;

/** So many are opened at a time: a queue of the system holds a few hundred that were not accepted yet. */
const AT_A_TIME = 250;

/** Opens connections to `host:port`, each of which sends some bytes at once, and holds those that are not closed until the test is over. */
export async function openMany(address: string, count: number, bytes: Uint8Array = Buffer.alloc(0)): Promise<Socket[]> {
  const port = Number(address.split(":")[1]);
  const sockets: Socket[] = [];
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  const open = async () => {
    const socket = connect(port, "127.0.0.1")
      .on("error", () => {})
      .resume();
    sockets.push(socket);
    await Promise.race([once(socket, "connect"), once(socket, "close")]).catch(() => {});
    if (bytes.length > 0) socket.write(bytes);
  };
  while (sockets.length < count) {
    await Promise.all(Array.from({ length: Math.min(AT_A_TIME, count - sockets.length) }, open));
  }
  return sockets;
}

/** Sends pieces one after the other, for as long as the other side takes them. */
export async function sendPieces(socket: Socket, pieces: Iterable<Uint8Array>): Promise<void> {
  for (const piece of pieces) {
    if (socket.destroyed || socket.writableEnded) return;
    if (!socket.write(piece)) await Promise.race([once(socket, "drain"), once(socket, "close")]).catch(() => {});
  }
}

/** A piece, so many times, by its number. */
export function* times(count: number, piece: (index: number) => Uint8Array): Generator<Uint8Array> {
  for (let index = 0; index < count; index++) yield piece(index);
}
