import type { Socket } from "node:net";

/**
 * How long a connection may stay silent before its first bytes. Node's HTTP/2 server waits for the preface forever, so a
 * peer that only connects would keep a socket open for nothing.
 */
const FIRST_BYTES_TIMEOUT_MS = 10_000;

/**
 * Waits for the first `count` bytes of a connection and hands them over, without taking them from the stream. A
 * connection that ends or stays silent is destroyed.
 */
export function onFirstBytes(socket: Socket, count: number, use: (bytes: Buffer) => void): void {
  const timer = setTimeout(() => socket.destroy(), FIRST_BYTES_TIMEOUT_MS);
  timer.unref();
  const fail = () => socket.destroy();
  const look = () => {
    const bytes: Buffer | null = socket.read();
    if (bytes === null) return;
    socket.unshift(bytes);
    if (bytes.length < count) {
      // `readable` comes again only once more has arrived.
      return;
    }
    clearTimeout(timer);
    socket.off("readable", look);
    socket.off("error", fail);
    socket.off("end", fail);
    use(bytes);
  };
  socket.on("readable", look);
  socket.on("error", fail);
  socket.on("end", fail);
  socket.once("close", () => clearTimeout(timer));
}
