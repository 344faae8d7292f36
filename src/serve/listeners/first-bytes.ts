import type { Socket } from "node:net";

/**
 * How long a connection may stay silent before its first bytes. Node's HTTP/2 server waits for the preface forever, so a
 * peer that only connects would keep a socket open for nothing.
 */
const FIRST_BYTES_TIMEOUT_MS = 10_000;

/**
 * Waits for the first `count` bytes of a connection and hands over what has come by then; to whoever reads the stream
 * next it looks untouched. A connection that ends or stays silent is destroyed.
 */
export function onFirstBytes(socket: Socket, count: number, use: (bytes: Buffer) => void): void {
  const timer = setTimeout(() => socket.destroy(), FIRST_BYTES_TIMEOUT_MS);
  timer.unref();
  const fail = () => socket.destroy();
  let bytes = Buffer.alloc(0);
  const look = () => {
    for (let more: Buffer | null = socket.read(); more !== null; more = socket.read()) {
      bytes = Buffer.concat([bytes, more]);
    }
    // Put back only once it is enough: bytes put back make the stream readable again, without end.
    if (bytes.length < count) return;
    clearTimeout(timer);
    socket.off("readable", look);
    socket.off("error", fail);
    socket.off("end", fail);
    socket.unshift(bytes);
    use(bytes);
  };
  socket.on("readable", look);
  socket.on("error", fail);
  socket.on("end", fail);
  socket.once("close", () => clearTimeout(timer));
}
