import { expect, test } from "vitest";
import { createProgress } from "../../src/cli/progress.ts";

/** What is written of some progress. */
function written(isTTY: boolean): string {
  let text = "";
  const write = (chunk: string | Uint8Array) => {
    text += String(chunk);
    return true;
  };
  const progress = createProgress("events verified", { isTTY, write });
  progress.show(1_000, 12_345);
  progress.show(2_000);
  progress.end();
  return text;
}

test("on a terminal progress is one line that is written anew and taken away in the end", () => {
  const clear = "\r\x1b[K";
  expect(written(true)).toBe(`${clear}1,000 of 12,345 events verified${clear}2,000 events verified${clear}`);
});

test("elsewhere progress is nothing at all", () => {
  expect(written(false)).toBe("");
});
