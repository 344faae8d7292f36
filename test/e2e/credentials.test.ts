import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createKey } from "../support/admin-call.ts";
import { type ClientRequest, sendHttp1, sendHttp2 } from "./support/client.ts";
import { type EnvoyInFront, type Gateway, startGateway } from "./support/gateway.ts";

let gateway: Gateway;
const envoys: Record<string, EnvoyInFront> = {};
let a: string;
let b: string;

beforeAll(async () => {
  gateway = await startGateway();
  envoys.shipped = await gateway.shipped();
  envoys["bare, with raw headers"] = await gateway.bare({ encodeRawHeaders: true });
  envoys["bare, with a map of headers"] = await gateway.bare({ encodeRawHeaders: false });
  a = (await createKey(gateway.keyward.adminSocket)).secret;
  b = (await createKey(gateway.keyward.adminSocket)).secret;
});

afterAll(() => gateway.stop());

type Headers = NonNullable<ClientRequest["headers"]>;
const AMBIGUOUS = [400, "ambiguous_credential"];
const ALLOWED = [200, undefined];

const rows: readonly (readonly [string, () => Headers, readonly (number | string | undefined)[]])[] = [
  ["one authorization header opens", () => [["authorization", `Bearer ${a}`]], ALLOWED],
  [
    "two authorization headers are ambiguous",
    () => [
      ["authorization", `Bearer ${a}`],
      ["authorization", `Bearer ${b}`],
    ],
    AMBIGUOUS,
  ],
  [
    "two equal authorization headers are, too",
    () => [
      ["authorization", `Bearer ${a}`],
      ["authorization", `Bearer ${a}`],
    ],
    AMBIGUOUS,
  ],
  ["two keys in one authorization header are, too", () => [["authorization", `Bearer ${a}, Bearer ${b}`]], AMBIGUOUS],
  ["a foreign scheme before ours is, too", () => [["authorization", `Basic eDp5, Bearer ${a}`]], AMBIGUOUS],
  ["one x-api-key header opens", () => [["x-api-key", a]], ALLOWED],
  [
    "two x-api-key headers are ambiguous",
    () => [
      ["x-api-key", a],
      ["x-api-key", b],
    ],
    AMBIGUOUS,
  ],
  [
    "two equal x-api-key headers are, too",
    () => [
      ["x-api-key", a],
      ["x-api-key", a],
    ],
    AMBIGUOUS,
  ],
  ["a comma in x-api-key is, too", () => [["x-api-key", `${a},${b}`]], AMBIGUOUS],
  [
    "the same key in two places opens",
    () => [
      ["authorization", `Bearer ${a}`],
      ["x-api-key", a],
    ],
    ALLOWED,
  ],
  [
    "two keys in two places are ambiguous",
    () => [
      ["authorization", `Bearer ${a}`],
      ["x-api-key", b],
    ],
    AMBIGUOUS,
  ],
  ["a scheme that is not ours is not looked at", () => [["authorization", `Basic ${a}`]], [401, "no_credential"]],
  [
    "a scheme that is not ours does not spoil a key elsewhere",
    () => [
      ["authorization", "Basic eDp5"],
      ["x-api-key", a],
    ],
    ALLOWED,
  ],
  ["an empty x-api-key is malformed", () => [["x-api-key", ""]], [401, "malformed_credential"]],
  [
    "a key with a space in it is malformed",
    () => [["x-api-key", `${a.slice(0, 9)} ${a.slice(9)}`]],
    [401, "malformed_credential"],
  ],
];

describe.each(["shipped", "bare, with raw headers", "bare, with a map of headers"])("an Envoy that is %s", (which) => {
  const port = () => envoys[which]?.port ?? 0;

  test.each(rows)("%s", async (_, headers, expected) => {
    const { status, reason, seen } = await sendHttp1(port(), { headers: headers() });
    expect([status, reason]).toEqual(expected);
    expect(JSON.stringify(seen ?? "")).not.toContain(a);
  });

  test("over HTTP/2 two x-api-key headers are ambiguous, and one opens", async () => {
    const two = await sendHttp2(port(), {
      headers: [
        ["x-api-key", a],
        ["x-api-key", b],
      ],
    });
    const one = await sendHttp2(port(), { headers: [["x-api-key", a]] });
    expect([two.status, two.reason]).toEqual(AMBIGUOUS);
    expect([one.status, one.reason]).toEqual(ALLOWED);
  });
});
