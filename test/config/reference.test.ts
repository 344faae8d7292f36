import { expect, test } from "vitest";
import { renderSettingsTable } from "../../src/config/reference.ts";
import { SETTING_KEYS } from "../../src/config/settings.ts";

test("the table has one row for each setting, the file, the admin key and the routes", () => {
  const lines = renderSettingsTable().trimEnd().split("\n");
  expect(lines).toHaveLength(2 + SETTING_KEYS.length + 3);
  expect(lines).toContain(
    "| `check_threads` | `--check-threads`, `KEYWARD_CHECK_THREADS` | `1` | >= 1 and <= 64 | How many threads answer checks. Each has a cache of its own, so that more of them cost memory. |",
  );
});

test("every row has five cells", () => {
  const widths = renderSettingsTable()
    .trimEnd()
    .split("\n")
    .map((line) => line.split(/(?<!\\)\|/).length - 2);
  expect(new Set(widths)).toEqual(new Set([5]));
});
