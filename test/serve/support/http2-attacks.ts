import { FLAG, FRAME } from "../../../src/h2/frame.ts";
import { PREFACE } from "../../../src/h2/preface.ts";
import { data, frame, headers, ping, rst, settings } from "../../h2/support/frames.ts";
import { AUTHORIZATION } from "../../support/check-client.ts";
import { type Attack, openMany, sendPieces, times } from "./attacker.ts";

const KIB = 1024;

const HELLO = Buffer.concat([PREFACE, settings()]);

const CALL = [
  [":method", "POST"],
  [":scheme", "http"],
  [":path", `/${AUTHORIZATION}/Check`],
  [":authority", "keyward"],
  ["content-type", "application/grpc"],
  ["te", "trailers"],
] as const;

/** On so many connections at once, after the preface of HTTP/2, these pieces. */
function speaking(connections: number, pieces: () => Iterable<Uint8Array>): Attack {
  return async (address) => {
    const sockets = await openMany(address, connections, HELLO);
    await Promise.all(sockets.map((socket) => sendPieces(socket, pieces())));
  };
}

function unread(pieces: Iterable<Uint8Array>): Attack {
  const all = Buffer.concat([...pieces]);
  return async (address) => {
    const [socket] = await openMany(address, 1, HELLO);
    // It may never get rid of all: the other side need not read what it cannot answer.
    socket?.pause().write(all);
  };
}

const streamId = (index: number) => 2 * index + 1;

/** A message of a mebibyte, of which there is only the beginning. */
const BEGUN = Buffer.concat([Buffer.of(0, 0, 0x10, 0, 0), Buffer.alloc(16_000)]);

/** What a peer can do to a server that speaks HTTP/2. */
export const HTTP2_ATTACKS: readonly (readonly [title: string, attack: Attack])[] = [
  ["500 connections with half a preface", (address) => openMany(address, 500, PREFACE.subarray(0, 12))],
  ["3,000 connections with a preface and nothing more", (address) => openMany(address, 3_000, HELLO)],
  [
    "headers that come byte by byte",
    speaking(50, () => times(60, (index) => headers(1, CALL).subarray(index, index + 1))),
  ],
  [
    "the beginnings of 400 messages of a mebibyte",
    speaking(4, () =>
      times(100, (index) => Buffer.concat([headers(streamId(index), CALL), data(streamId(index), BEGUN, 0)])),
    ),
  ],
  ["5,000 calls without their messages", speaking(1, () => times(5_000, (index) => headers(streamId(index), CALL)))],
  [
    "frames of 16 MiB",
    speaking(20, () => [Buffer.concat([Buffer.from("\xff\xff\xff", "latin1"), Buffer.alloc(64 * KIB)])]),
  ],
  [
    "frames of a type that nobody knows",
    speaking(1, () => times(5_000, () => frame(0x77, 0xff, 0, Buffer.alloc(100)))),
  ],
  ["noise after the preface", speaking(50, () => times(20, () => Buffer.alloc(KIB, 0xa5)))],
  [
    "headers that are no HPACK",
    speaking(50, () => [frame(FRAME.headers, FLAG.endHeaders, 1, Buffer.alloc(200, 0xff))]),
  ],
  [
    "20,000 calls that are reset as soon as they are made",
    speaking(1, () => times(20_000, (index) => Buffer.concat([headers(streamId(index), CALL), rst(streamId(index))]))),
  ],
  [
    "header blocks that go on in 20,000 frames",
    speaking(2, () => [
      frame(FRAME.headers, 0, 1, Buffer.alloc(KIB)),
      ...times(20_000, () => frame(FRAME.continuation, 0, 1, Buffer.alloc(KIB))),
    ]),
  ],
  [
    "20,000 empty continuations of a header block",
    speaking(2, () => [frame(FRAME.headers, 0, 1), ...times(20_000, () => frame(FRAME.continuation, 0, 1))]),
  ],
  [
    "header lists of 4,000 fields",
    speaking(5, () => [
      headers(1, [...CALL, ...Array.from({ length: 400 }, (_, index) => [`x-${index}`, "x".repeat(30)] as const)]),
      ...times(50, (index) => headers(streamId(index + 1), [...CALL, ["x", "y".repeat(12_000)]])),
    ]),
  ],
  ["20,000 pings of a peer that reads nothing", unread(times(20_000, () => ping("12345678")))],
  ["20,000 settings of a peer that reads nothing", unread(times(20_000, () => settings()))],
  [
    "WINDOW_UPDATE beyond its bound",
    speaking(50, () => times(3, () => frame(FRAME.windowUpdate, 0, 0, Buffer.from("\x7f\xff\xff\xff", "latin1")))),
  ],
];
