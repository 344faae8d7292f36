import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { summaryOf } from "../bench/summary.ts";

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

// `npm run bench:publish` writes both.
test("README's figures are those of the page about the benchmark", () => {
  const text = /<!-- figures -->\n```text\n(.*)\n```\n<!-- figures -->/s.exec(read("docs/benchmarks.md"))?.[1] ?? "";
  expect(read("README.md").split("<!-- bench -->\n")[1]).toBe(summaryOf(text));
});

test("nothing is published of a run without Envoy", () => {
  const servers = "Servers\n\n| server | asked |\n| --- | --- |\n\nconditions";
  expect(() => summaryOf(servers)).toThrow('there is no table "Through Envoy"');
});
