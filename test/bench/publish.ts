/**
 * `npm run bench:publish FILE`: writes what `npm run bench -- -o json` measured into `docs/benchmarks.md`, as the tables
 * that it would have printed, and the short form of them into README.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { summaryOf } from "./summary.ts";
import { tablesOf } from "./tables.ts";

const [, , file] = process.argv;
if (file === undefined) throw new Error("the file with the output of `npm run bench -- -o json` must be named");
const { measured, reach, conditions } = JSON.parse(readFileSync(file, "utf8"));
const text = tablesOf(measured, reach, conditions);
const summary = summaryOf(text);
replaceSection("docs/benchmarks.md", "figures", `\`\`\`text\n${text}\n\`\`\`\n`);
replaceSection("README.md", "bench", summary);
process.stdout.write(`${text}\n`);

/** Writes anew what stands between the two markers of a name. */
function replaceSection(path: string, name: string, content: string): void {
  const url = new URL(`../../${path}`, import.meta.url);
  const marker = `<!-- ${name} -->\n`;
  const [before, old, after] = readFileSync(url, "utf8").split(marker);
  if (old === undefined || after === undefined) throw new Error(`${path} must have two lines ${marker.trimEnd()}`);
  writeFileSync(url, [before, content, after].join(marker));
}
