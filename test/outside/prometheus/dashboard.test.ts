import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import type { Metric } from "../../../src/observe/metrics/metric.ts";
import { METRICS } from "../../../src/observe/metrics/metrics.ts";
import { createKey } from "../../support/admin-call.ts";
import { selfSigned } from "../../support/certificates.ts";
import { type Child, startChild } from "../../support/child.ts";
import { checkClientForThisTest, folderForThisTest, keywardForThisTest } from "../../support/for-this-test.ts";
import { freePorts } from "../../support/ports.ts";
import { until } from "../../support/until.ts";

// Needs prometheus: the package of that name.
const deploy = new URL("../../../deploy/", import.meta.url);
const DASHBOARD = readFileSync(new URL("grafana/keyward.json", deploy), "utf8");
const RULES = fileURLToPath(new URL("prometheus/keyward.rules.yaml", deploy));

interface Panel {
  title: string;
  targets?: { expr: string }[];
}

const { panels } = JSON.parse(DASHBOARD) as { panels: Panel[] };
const { groups } = parse(readFileSync(RULES, "utf8")) as { groups: { rules: { alert: string; expr: string }[] }[] };

/** As Grafana would ask: with "All" for each variable. */
const asked = (expr: string) =>
  expr.replaceAll("$__rate_interval", "1m").replaceAll("$job", ".*").replaceAll("$instance", ".*");
const queries: [string, string][] = [
  ...panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, asked(expr)] as [string, string])),
  ...groups.flatMap(({ rules }) => rules.map(({ alert, expr }) => [alert, expr] as [string, string])),
];

const namesIn = (expr: string) => [...expr.matchAll(/\b(?:keyward|process)_\w+/g)].map(([name]) => name);

/** What a family is printed as. */
const printed = Object.entries<Metric>(METRICS).flatMap(([name, { kind }]) =>
  kind === "histogram" ? ["_bucket", "_sum", "_count"].map((suffix) => name + suffix) : [name],
);

test("the dashboard has a panel for what an operator asks first, and no two of one place", () => {
  expect(panels.length).toBeGreaterThan(20);
  const places = panels.map((panel) => JSON.stringify((panel as unknown as { gridPos: object }).gridPos));
  expect(new Set(places).size).toBe(places.length);
});

test.each(queries)("%s asks for metrics that there are: %s", (_, expr) => {
  const names = namesIn(expr);
  expect(names.length).toBeGreaterThan(0);
  expect(names.filter((name) => !printed.includes(name))).toEqual([]);
});

async function prometheusFor(target: string): Promise<{ ask(expr: string): Promise<unknown[]>; child: Child }> {
  const folder = folderForThisTest();
  const [port] = await freePorts(1);
  const config = join(folder, "prometheus.yml");
  const scrape = { job_name: "keyward", static_configs: [{ targets: [target] }] };
  const global = { scrape_interval: "200ms", scrape_timeout: "200ms", evaluation_interval: "200ms" };
  writeFileSync(config, JSON.stringify({ global, rule_files: [RULES], scrape_configs: [scrape] }));
  const url = `http://127.0.0.1:${port}`;
  const child = await startChild({
    name: "Prometheus",
    command: "prometheus",
    args: [`--config.file=${config}`, `--storage.tsdb.path=${folder}/data`, `--web.listen-address=127.0.0.1:${port}`],
    ready: async () => (await fetch(`${url}/-/ready`)).ok,
  });
  onTestFinished(child.stop);
  const ask = async (expr: string) => {
    const answer = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(expr)}`);
    const { status, error, data } = (await answer.json()) as {
      status: string;
      error?: string;
      data?: { result: unknown[] };
    };
    if (status !== "success") throw new Error(`${expr}: ${error}`);
    return data?.result ?? [];
  };
  return { ask, child };
}

test("a real Prometheus takes every query, and has every series that one names", async () => {
  const folder = folderForThisTest();
  const { cert, key } = selfSigned({ validForMs: 30 * 86_400_000 });
  writeFileSync(`${folder}/cert.pem`, cert);
  writeFileSync(`${folder}/key.pem`, key);
  const flags = ["--tls-admin-cert", `${folder}/cert.pem`, "--tls-admin-key", `${folder}/key.pem`];
  const keyward = await keywardForThisTest({ flags });
  const { secret } = await createKey(keyward.adminSocket);
  await checkClientForThisTest(keyward.authz).present(secret);
  const { ask } = await prometheusFor(keyward.ops);
  await until("usage is settled", async () => (await ask("keyward_usage_behind_seconds")).length > 0);
  await until("rates can be told", async () => (await ask("rate(keyward_checks_total[1m])")).length > 0);

  for (const [title, expr] of queries) await expect(ask(expr), title).resolves.toBeInstanceOf(Array);
  const missing: string[] = [];
  for (const name of new Set(queries.flatMap(([, expr]) => namesIn(expr)))) {
    if ((await ask(name)).length === 0) missing.push(name);
  }
  expect(missing).toEqual([]);
  const firing = (await ask('ALERTS{alertstate="firing"}')) as { metric: { alertname: string } }[];
  expect(firing.map(({ metric }) => metric.alertname)).toEqual([]);
});
