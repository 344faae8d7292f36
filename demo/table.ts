import Table from "cli-table3";
import type { Row } from "./rows.ts";
import type { Answer } from "./send.ts";

/** A request that was sent, and what came back. */
export interface Outcome {
  row: Row;
  answer: Answer;
}

/** Prints what was sent, expected and answered to stdout, and returns whether every row came out as expected. */
export function printTable(outcomes: readonly Outcome[]): boolean {
  const table = new Table({
    head: ["", "what", "request", "expected", "got", "reason"],
    style: { head: [], border: [] },
    chars: { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" }, // no lines between rows: it fits one screen
  });
  let differing = 0;
  for (const { row, answer } of outcomes) {
    const fault = answer.seen && row.fault?.(answer.seen);
    const same = answer.status === row.status && answer.reason === row.reason && fault === undefined;
    if (!same) differing++;
    const request = `${row.request.method ?? "GET"} ${row.request.path}`;
    const expected = `${row.status} ${row.reason}`;
    table.push([same ? "✓" : "✗", row.title, request, expected, answer.status, fault ?? answer.reason]);
  }
  const verdict = differing === 0 ? "all as expected" : `${differing} not as expected`;
  process.stdout.write(`${table.toString()}\n${outcomes.length} requests, ${verdict}\n`);
  return differing === 0;
}
