import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Metric } from "../../src/observe/metrics/metric.ts";
import { METRICS } from "../../src/observe/metrics/metrics.ts";

const page = readFileSync(new URL("../../docs/observability.md", import.meta.url), "utf8");

function rowOf([name, { kind, series = [], perThread, help }]: [string, Metric]): string {
  const labels = [...Object.keys(series[0] ?? {}), ...(perThread ? ["thread"] : [])].map((label) => `\`${label}\``);
  return `| \`${name}\` | ${kind} | ${labels.join(", ")} | ${help} |`;
}

// Where this fails after a metric was added, the line that is missing stands in the difference.
test("the page has a line for every metric, in the order of the code", () => {
  const table = page.split("<!-- metrics -->\n")[1]?.trimEnd().split("\n");
  const head = ["| Metric | Kind | Labels | What it tells |", "| --- | --- | --- | --- |"];
  expect(table).toEqual([...head, ...Object.entries<Metric>(METRICS).map(rowOf)]);
});
