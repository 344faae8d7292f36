import type { Duplex } from "node:stream";

/** What is answered to a request that cannot be read, by the code of Node's error; the rest is malformed. */
const STATUS_LINES: Readonly<Partial<Record<string, string>>> = {
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  HPE_CHUNK_EXTENSIONS_OVERFLOW: "413 Payload Too Large",
};

/** Answers what Node's HTTP/1.1 server does by itself where nobody listens for its errors, and tells of what took too long. */
export function answerHttp1Error(error: Error & { code?: string }, socket: Duplex, onTimeout: () => void): void {
  const { code = "" } = error;
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") onTimeout();
  // Not in the middle of an answer: its rest would be read as what it is not.
  const isAnswering = (socket as Duplex & { _httpMessage?: { headersSent: boolean } })._httpMessage?.headersSent;
  if (!socket.writable || isAnswering) return void socket.destroy(error);
  socket.end(`HTTP/1.1 ${STATUS_LINES[code] ?? "400 Bad Request"}\r\nConnection: close\r\n\r\n`, () =>
    socket.destroy(),
  );
}
