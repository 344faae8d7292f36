import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { folderForThisTest } from "../../support/for-this-test.ts";
import { ALERT_CASES } from "./alerts.ts";

// Needs promtool: the package prometheus.
const RULES = fileURLToPath(new URL("../../../deploy/prometheus/keyward.rules.yaml", import.meta.url));
const run = promisify(execFile);

const { groups } = parse(readFileSync(RULES, "utf8")) as { groups: { rules: { alert: string; for?: string }[] }[] };
const rules = groups.flatMap((group) => group.rules);

/** Late enough for a rule that has to hold for long, and early enough for one that looks back ten minutes. */
const timeOf = (alert: string) => (rules.find((rule) => rule.alert === alert)?.for === "15m" ? "35m" : "10m");

test("promtool finds nothing wrong with the rules", async () => {
  expect((await run("promtool", ["check", "rules", RULES])).stdout).toContain(`SUCCESS: ${rules.length} rules found`);
});

test("every rule has a case", () => {
  expect(Object.keys(ALERT_CASES).toSorted()).toEqual(rules.map(({ alert }) => alert).toSorted());
});

test.each(Object.entries(ALERT_CASES))(
  "%s fires when it should, and one step beside it does not",
  async (alert, cases) => {
    const fired = (count: number) => (count === 0 ? [] : [{ labels: "{}", value: count }]);
    const groupOf = (values: Readonly<Record<string, string>>, count: number) => ({
      interval: "1m",
      input_series: Object.entries(values).map(([series, values]) => ({ series, values })),
      promql_expr_test: [
        {
          expr: `count(ALERTS{alertname="${alert}",alertstate="firing"})`,
          eval_time: timeOf(alert),
          exp_samples: fired(count),
        },
      ],
    });
    const file = join(folderForThisTest(), "test.yaml");
    const tests = [groupOf(cases.fires, 1), groupOf(cases.quiet, 0)];
    writeFileSync(file, stringify({ rule_files: [RULES], evaluation_interval: "1m", tests }));
    await run("promtool", ["test", "rules", file]);
  },
);
