import { describe, expect, onTestFinished, test } from "vitest";
import { ERROR } from "../../src/h2/connection-error.ts";
import { FRAME } from "../../src/h2/frame.ts";
import { headerBlock } from "../../src/h2/header-block.ts";
import { PREFACE } from "../../src/h2/preface.ts";
import type { Cut } from "../../src/h2/service.ts";
import { until } from "../support/until.ts";
import { startEngine } from "./support/engine.ts";
import {
  CALL,
  call,
  data,
  frame,
  headers,
  INITIAL_WINDOW_SIZE,
  message,
  SETTINGS_ACK,
  settings,
  windowUpdate,
} from "./support/frames.ts";
import { goodCaller } from "./support/good-caller.ts";

const CONNECTIONS = 100;
const LONG = Buffer.alloc(16_000);
const HELLO = [PREFACE, settings(), SETTINGS_ACK];

describe("a hundred peers are cut, and another one served meanwhile, who say", () => {
  test.each<[title: string, reason: Cut["reason"], said: Buffer[], drips?: boolean]>([
    ["nothing", "stalled", []],
    ["half of the preface", "stalled", [PREFACE.subarray(0, 12)]],
    ["no settings", "settingsTimeout", [PREFACE]],
    ["nothing to our settings", "settingsTimeout", [PREFACE, settings()]],
    ["half of a frame", "settingsTimeout", [...HELLO, headers(1).subarray(0, 20)]],
    ["a frame byte by byte", "settingsTimeout", [...HELLO, headers(1), data(1, LONG).subarray(0, 12)], true],
    ["half of a header block", "settingsTimeout", [...HELLO, frame(FRAME.headers, 0, 1, headerBlock(CALL))]],
  ])("%s", async (_, reason, said, drips = false) => {
    const engine = await startEngine({ limits: { frameTimeoutMs: 200 } });
    const callOnce = await goodCaller(engine);
    const peers = Array.from({ length: CONNECTIONS }, () => engine.connect());
    const bytes = Buffer.concat(said);
    for (const peer of peers) peer.socket.write(bytes);
    await until("all are cut", async () => {
      if (drips) for (const peer of peers) peer.socket.write(Buffer.of(0));
      await callOnce();
      return engine.cuts.length >= CONNECTIONS;
    });
    await Promise.all(peers.map((peer) => peer.closed()));
    await callOnce();
    expect(engine.cuts).toHaveLength(CONNECTIONS);
    expect(new Set(engine.cuts.map((cut) => cut.reason))).toEqual(new Set([reason]));
  });
});

test("a thousand messages that are begun and not ended are held for a while, and no longer", async () => {
  const engine = await startEngine({ limits: { requestTimeoutMs: 200 } });
  const callOnce = await goodCaller(engine);
  const peer = await engine.greet();
  const body = message(Buffer.alloc(16_000));
  const ids = Array.from({ length: 1_000 }, (_, index) => 2 * index + 1);
  peer.send(...ids.map((id) => Buffer.concat([headers(id), data(id, body.subarray(0, 15_000), 0)])));
  await callOnce();
  await until("all are given up", () => engine.server.counters.resetsSent === ids.length);
  expect(await peer.reset(1)).toBe(ERROR.cancel);
  expect(await peer.reset(1_999)).toBe(ERROR.cancel);
  expect(engine.server.heldBytes).toBe(0);
  // The peer itself may go on.
  peer.send(call(2_001));
  expect((await peer.answer(2_001)).body).toEqual(message("hello"));
  await callOnce();
  expect(engine.cuts).toEqual([]);
});

test("a peer that reads no answer is not read either, and cut in the end, while another one is served", async () => {
  const engine = await startEngine({ limits: { stallTimeoutMs: 200 } });
  const callOnce = await goodCaller(engine);
  const peer = await engine.greet(settings([INITIAL_WINDOW_SIZE, 0x7fff_ffff]), windowUpdate(0, 0x7000_0000));
  peer.socket.pause();
  const body = Buffer.alloc(10_000);
  let streamId = 1;
  const calls = setInterval(() => {
    for (let count = 0; count < 50; count++, streamId += 2) peer.send(call(streamId, body));
  }, 1);
  onTestFinished(() => clearInterval(calls));
  await until("it is cut", async () => {
    await callOnce();
    return engine.cuts.length > 0;
  });
  expect(engine.cuts).toMatchObject([{ reason: "stalled", why: "answers that are not read" }]);
  // What the kernel holds on both sides, and what had been read at that moment: not what was sent since.
  expect(engine.server.counters.calls).toBeLessThan(1_000);
  await callOnce();
});
