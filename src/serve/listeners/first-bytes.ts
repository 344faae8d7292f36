import type { Socket } from "node:net";

/**
 * How long a connection may take to say which protocol it speaks. Node's HTTP/2 server waits for the preface forever, so a
 * peer that only connects would keep a socket open for nothing.
 */
const FIRST_BYTES_TIMEOUT_MS = 10_000;

/** What becomes of a connection. */
export interface FirstBytes {
  /** Whether these bytes, the first that came, are enough. */
  isEnough(bytes: Buffer): boolean;
  /** They were: here they are. */
  use(bytes: Buffer): void;
  /** They have not come in time. The connection is destroyed. */
  onTimeout?(): void;
}

/**
 * Waits for the first bytes of a connection and hands over what has come by the time that it is enough; to whoever reads
 * the stream next it looks untouched. A connection that ends or takes too long is destroyed.
 */
export function onFirstBytes(socket: Socket, { isEnough, use, onTimeout }: FirstBytes): void {
  const timer = setTimeout(() => {
    onTimeout?.();
    socket.destroy();
  }, FIRST_BYTES_TIMEOUT_MS);
  timer.unref();
  const fail = () => socket.destroy();
  let bytes = Buffer.alloc(0);
  const look = () => {
    for (let more: Buffer | null = socket.read(); more !== null; more = socket.read()) {
      bytes = Buffer.concat([bytes, more]);
    }
    // Put back only once it is enough: bytes put back make the stream readable again, without end.
    if (bytes.length === 0 || !isEnough(bytes)) return;
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
