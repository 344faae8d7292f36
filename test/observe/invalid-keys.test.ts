import { describe, expect, test } from "vitest";
import { createInvalidKeys, INVALID_KEYS_SPAN_MS } from "../../src/observe/invalid-keys.ts";
import type { LogFields, LogLevel } from "../../src/observe/log.ts";

function invalidKeys(maxNetworks?: number) {
  const lines: { level: LogLevel; message: string; fields: LogFields }[] = [];
  const log = (level: LogLevel, message: string, fields: LogFields = {}) => lines.push({ level, message, fields });
  return { lines, ...createInvalidKeys(log, maxNetworks) };
}

type Presented = Parameters<ReturnType<typeof invalidKeys>["note"]>;

const times = (count: number, ...[reason, address]: [Presented[0], Presented[1]]): Presented[] =>
  Array.from({ length: count }, () => [reason, address, 0]);

describe("a flood of invalid keys", () => {
  test("is one line with counts by reason and network, once its span is over", () => {
    const { lines, note, tick } = invalidKeys();
    const flood = [
      ...times(500, "unknown_key", "192.0.2.1"),
      ...times(400, "malformed_credential", "192.0.2.200"),
      ...times(90, "unknown_key", "2001:db8:1:2::3"),
      ...times(7, "unknown_key", undefined),
      ...times(3, "unknown_key", "no address"),
    ];
    for (const presented of flood) note(...presented);
    tick(INVALID_KEYS_SPAN_MS - 1);
    expect(lines).toEqual([]);
    tick(INVALID_KEYS_SPAN_MS);
    expect(lines).toEqual([
      {
        level: "warn",
        message: "1000 invalid keys were presented within 10 s",
        fields: {
          event: "invalid_keys",
          malformed: 400,
          unknown: 600,
          networks: { "192.0.2.0/24": 900, "2001:db8:1::/48": 90 },
          elsewhere: 10,
        },
      },
    ]);
  });

  test("that goes on is one line a span, each with its own counts", () => {
    const { lines, note } = invalidKeys();
    for (let nowMs = 0; nowMs < 3 * INVALID_KEYS_SPAN_MS; nowMs += 10) note("unknown_key", "192.0.2.1", nowMs);
    note("unknown_key", "192.0.2.1", 3 * INVALID_KEYS_SPAN_MS);
    expect(lines.map(({ fields }) => fields.networks)).toEqual(Array(3).fill({ "192.0.2.0/24": 1_000 }));
  });

  test("from many networks is told with the ten highest counts, and adds up", () => {
    const { lines, note, finish } = invalidKeys();
    for (let network = 1; network <= 100; network++) {
      for (let count = 0; count < network; count++) note("unknown_key", `10.0.${network}.1`, 0);
    }
    finish();
    const { networks, elsewhere, unknown } = lines[0]?.fields ?? {};
    const expected = Array.from({ length: 10 }, (_, index) => [`10.0.${100 - index}.0/24`, 100 - index]);
    expect(Object.entries(networks as object)).toEqual(expected);
    expect([unknown, elsewhere]).toEqual([5_050, 5_050 - 955]);
  });

  test("from more networks than there is room for is counted all the same", () => {
    const { lines, note, finish } = invalidKeys(2);
    for (const network of [1, 2, 3, 3, 3, 1]) note("malformed_credential", `10.0.${network}.1`, 0);
    finish();
    expect(lines.map(({ fields }) => fields)).toEqual([
      {
        event: "invalid_keys",
        malformed: 6,
        unknown: 0,
        networks: { "10.0.1.0/24": 2, "10.0.2.0/24": 1 },
        elsewhere: 3,
      },
    ]);
  });
});

test.each([
  [0, 0],
  [3, 0],
  [4, 1],
])("%i invalid keys in a span make %i lines", (count, expected) => {
  const { lines, note, tick } = invalidKeys();
  for (const presented of times(count, "unknown_key", "192.0.2.1")) note(...presented);
  tick(INVALID_KEYS_SPAN_MS);
  tick(2 * INVALID_KEYS_SPAN_MS);
  expect(lines).toHaveLength(expected);
});
