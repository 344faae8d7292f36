import { type Attack, openMany, sendPieces, times } from "./attacker.ts";

const KIB = 1024;

const bytes = (text: string) => Buffer.from(text, "latin1");

/** A request that is not over. */
export const HEAD = "GET /metrics HTTP/1.1\r\nhost: a\r\n";

/** What a peer can do to a server that speaks HTTP/1.1. */
export const HTTP1_ATTACKS: readonly (readonly [title: string, attack: Attack])[] = [
  ["500 connections with half a request line", (address) => openMany(address, 500, bytes("GET /heal"))],
  ["500 connections with half a header", (address) => openMany(address, 500, bytes(`${HEAD}x-a: b`))],
  [
    "headers that come byte by byte",
    async (address) => {
      const sockets = await openMany(address, 50);
      await Promise.all(sockets.map((socket) => sendPieces(socket, [...`${HEAD}x-a: b`].map(bytes))));
    },
  ],
  [
    "500 connections with half a body",
    (address) => openMany(address, 500, bytes("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\n{")),
  ],
  [
    "a body without an end in chunks",
    async (address) => {
      const head = bytes("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n");
      const [socket] = await openMany(address, 1, head);
      const chunk = bytes(`4000\r\n${"x".repeat(0x4000)}\r\n`);
      if (socket !== undefined)
        await sendPieces(
          socket,
          times(1_000, () => chunk),
        );
    },
  ],
  [
    "headers of 16 MiB",
    async (address) => {
      const [socket] = await openMany(address, 1, bytes(`${HEAD}x: `));
      if (socket !== undefined)
        await sendPieces(
          socket,
          times(256, () => Buffer.alloc(64 * KIB, "x")),
        );
    },
  ],
  [
    "10,000 requests at once of a peer that reads nothing",
    async (address) => {
      const [socket] = await openMany(address, 1);
      socket?.pause().write(bytes(`${HEAD}\r\n`.repeat(10_000)));
    },
  ],
  ["noise", (address) => openMany(address, 100, Buffer.alloc(KIB, 0xa5))],
  ["TLS", (address) => openMany(address, 100, bytes("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"))],
];
