import { describe, expect, test } from "vitest";
import type { LogFields } from "../../src/observe/log.ts";
import { createAlerts } from "../../src/usage/alerts.ts";
import type { KeyTally } from "../../src/usage/batch.ts";

const HOUR_MS = 3_600_000;

const seen = (more: Partial<KeyTally>): KeyTally => ({
  keyId: "key_a",
  uses: 0,
  lastUsedAtMs: 0,
  lastUsedIp: undefined,
  networks: [],
  userAgents: [],
  denials: new Map(),
  lastDeniedAtMs: 0,
  lastDeniedIp: undefined,
  ...more,
});
const network = (value: string) => ({ value, firstMs: 1, lastMs: 1 });

function alertsForTest(requestsPerHour = 0, denialsPerMinute = 0) {
  const lines: { level: string; fields: LogFields }[] = [];
  const alerts = createAlerts({ requestsPerHour, denialsPerMinute }, (level, _, fields = {}) => {
    lines.push({ level, fields });
  });
  const judge = (tally: KeyTally, nowMs: number, networks: string[] = []) => {
    const before = lines.length;
    const counts = alerts.judge([{ tally, newNetworks: networks.map(network) }], nowMs);
    return { counts: Object.fromEntries(counts), told: lines.slice(before) };
  };
  return { judge };
}

describe("an alert", () => {
  test("tells of each new network", () => {
    const { judge } = alertsForTest();
    expect(judge(seen({ uses: 2 }), 1, ["10.0.0.0/24", "10.0.1.0/24"])).toEqual({
      counts: { key_new_network: 2 },
      told: ["10.0.0.0/24", "10.0.1.0/24"].map((value) => ({
        level: "warn",
        fields: { event: "key_new_network", key_id: "key_a", network: value },
      })),
    });
    expect(judge(seen({ uses: 2 }), 1)).toEqual({ counts: {}, told: [] });
  });

  test("tells of more requests in an hour than the bound, once in that hour", () => {
    const { judge } = alertsForTest(10);
    const use = (uses: number, nowMs: number) => judge(seen({ uses, lastUsedIp: "192.0.2.1" }), nowMs).told;
    expect(use(10, 0)).toEqual([]);
    expect(use(1, HOUR_MS - 1)).toEqual([
      { level: "warn", fields: { event: "key_request_rate", key_id: "key_a", requests: 11, source: "192.0.2.1" } },
    ]);
    expect(use(100, HOUR_MS - 1)).toEqual([]);
    expect(use(10, HOUR_MS)).toEqual([]);
    expect(use(1, HOUR_MS)).toHaveLength(1);
  });

  test("tells of more denials in a minute than the bound, whatever their reasons", () => {
    const { judge } = alertsForTest(0, 5);
    const denials = new Map([
      ["insufficient_scope", 3],
      ["path_not_allowed", 2],
    ] as const);
    const deny = (nowMs: number, denied: KeyTally["denials"] = denials) =>
      judge(seen({ denials: denied, lastDeniedIp: "192.0.2.1" }), nowMs).told;
    expect(deny(0)).toEqual([]);
    expect(deny(60_000)).toEqual([]);
    expect(deny(60_001, new Map([["key_expired", 1]]))).toEqual([
      {
        level: "warn",
        fields: {
          event: "key_denial_burst",
          key_id: "key_a",
          denials: 6,
          reasons: { key_expired: 1 },
          source: "192.0.2.1",
        },
      },
    ]);
    expect(deny(60_002)).toEqual([]);
  });

  test("tells of a revoked key once an hour, and of no other ended key", () => {
    const { judge } = alertsForTest();
    const deny = (reason: "key_revoked" | "key_expired", nowMs: number) =>
      judge(seen({ denials: new Map([[reason, 2]]) }), nowMs).counts;
    expect(deny("key_expired", 0)).toEqual({});
    expect([deny("key_revoked", 1), deny("key_revoked", 2), deny("key_revoked", HOUR_MS)]).toEqual([
      { revoked_key_used: 1 },
      {},
      { revoked_key_used: 1 },
    ]);
  });

  test("with a bound of 0 is never given", () => {
    const { judge } = alertsForTest(0, 0);
    expect(judge(seen({ uses: 1e9, denials: new Map([["key_expired", 1e9]]) }), 1).counts).toEqual({});
  });

  test("has ten lines a second at the most, and is counted in any case", () => {
    const { judge } = alertsForTest();
    const many = Array.from({ length: 25 }, (_, index) => `10.0.${index}.0/24`);
    const { counts, told } = judge(seen({}), 5_000, many);
    expect([counts, told.length]).toEqual([{ key_new_network: 25 }, 10]);
    expect(judge(seen({}), 6_000, ["10.1.0.0/24"]).told.map(({ fields }) => fields)).toEqual([
      { event: "alerts_suppressed", suppressed: 15 },
      { event: "key_new_network", key_id: "key_a", network: "10.1.0.0/24" },
    ]);
  });
});
