import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { adminCall, createKey } from "../support/admin-call.ts";
import { describeRequest } from "../support/check-request.ts";
import { checkClientForThisTest, keywardForThisTest } from "../support/for-this-test.ts";
import type { Keyward } from "../support/keyward.ts";
import { byLabel, readMetrics } from "../support/metrics.ts";
import { until } from "../support/until.ts";

interface AlertLine {
  level: string;
  event?: string;
  key_id?: string;
}

function alertsIn(keyward: Keyward): AlertLine[] {
  const lines = keyward.log().split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as AlertLine).filter(({ event }) => event !== undefined);
}

const metricsOf = async ({ ops }: Keyward) => (await fetch(`http://${ops}/metrics`)).text();

async function alertCounts(keyward: Keyward): Promise<Record<string, number>> {
  return Object.fromEntries(byLabel(readMetrics(await metricsOf(keyward)), "keyward_alerts_total", "event"));
}

describe("the alerts of a running program", () => {
  test("tell of each use that is worth a look, in the log and the metrics, and of no other", async () => {
    const keyward = await keywardForThisTest({
      config: `alerts: { requests_per_hour: 5, denials_per_minute: 4 }
routes:
  - { path: /closed, scopes: [never] }
  - { path: "/**", access: authenticated }
`,
    });
    const client = checkClientForThisTest(keyward.authz);
    const send = async (secret: string, times: number, path = "/", sourceAddress = "192.0.2.1") => {
      const headers = [["authorization", `Bearer ${secret}`]] as const;
      for (let sent = 0; sent < times; sent++) {
        await client.checkBytes(describeRequest({ headers, path, sourceAddress }));
      }
    };
    const names = ["moves", "stays", "busy", "refused", "revoked"] as const;
    const keys = new Map<string, { id: string; secret: string }>();
    for (const name of names) keys.set(name, await createKey(keyward.adminSocket, { name }));
    const idOf = (name: string) => keys.get(name)?.id;
    const secretOf = (name: string) => keys.get(name)?.secret ?? "";
    await adminCall(keyward.adminSocket, "KeyService/RevokeKey", { key: idOf("revoked") });

    await send(secretOf("stays"), 5, "/", "192.0.2.77");
    await send(secretOf("stays"), 4, "/closed");
    await send(secretOf("moves"), 1);
    await send(secretOf("moves"), 1, "/", "198.51.100.1");
    await send(secretOf("busy"), 6);
    await send(secretOf("refused"), 5, "/closed");
    await send(secretOf("revoked"), 2);
    await until("all are told", () => alertsIn(keyward).length >= 4);

    const told = alertsIn(keyward).toSorted((one, other) => (one.event ?? "").localeCompare(other.event ?? ""));
    expect(told).toMatchObject([
      { level: "warn", event: "key_denial_burst", key_id: idOf("refused"), reasons: { insufficient_scope: 5 } },
      { level: "warn", event: "key_new_network", key_id: idOf("moves"), network: "198.51.100.0/24" },
      { level: "warn", event: "key_request_rate", key_id: idOf("busy"), requests: 6, source: "192.0.2.1" },
      { level: "warn", event: "revoked_key_used", key_id: idOf("revoked"), source: "192.0.2.1" },
    ]);
    const each = { key_denial_burst: 1, key_new_network: 1, key_request_rate: 1, revoked_key_used: 1 };
    expect(await alertCounts(keyward)).toEqual(each);
    for (const { secret } of keys.values()) expect(keyward.log()).not.toContain(secret.slice(3, -6));
  });
});

describe("the rules for Prometheus", () => {
  const text = readFileSync(new URL("../../deploy/prometheus/keyward.rules.yaml", import.meta.url), "utf8");
  const { groups } = parse(text) as {
    groups: { name: string; rules: { alert: string; expr: string; annotations: { summary: string } }[] }[];
  };
  const rules = groups.flatMap((group) => group.rules);

  test("have names of their own and say what they are about", () => {
    const names = rules.map(({ alert }) => alert);
    expect([names.length, new Set(names).size]).toEqual([21, 21]);
    expect(rules.filter(({ annotations }) => annotations.summary === undefined)).toEqual([]);
  });

  test("name only metrics, labels and values that /metrics has", async () => {
    const keyward = await keywardForThisTest();
    await until("usage is settled", async () => (await metricsOf(keyward)).includes("keyward_usage_behind_seconds{"));
    const metrics = await metricsOf(keyward);
    const series = rules.flatMap(({ expr }) => [...expr.matchAll(/(keyward_\w+)(?:\{(\w+)=~?"([^"]+)"\})?/g)]);
    const asked = series.flatMap(([, name = "", label, values = ""]) =>
      // A metric of what is not configured has no sample.
      label === undefined
        ? [`# TYPE ${name.replace(/_(bucket|count|sum)$/, "")} `]
        : values.split("|").map((value) => `${label}="${value}"`),
    );
    expect(asked.length).toBeGreaterThanOrEqual(rules.length);
    expect(asked.filter((part) => !metrics.includes(part))).toEqual([]);
  });
});
