import { expect, test } from "vitest";
import { everyPage } from "../../src/cli/pages.ts";

/** A list of three pages, or of one that is empty: each by the token that leads to it. */
const LISTS: Readonly<Record<string, Readonly<Record<string, { items: string[]; nextPageToken: string }>>>> = {
  "three pages": {
    "": { items: ["a", "b"], nextPageToken: "second" },
    second: { items: [], nextPageToken: "third" },
    third: { items: ["c"], nextPageToken: "" },
  },
  "one empty page": { "": { items: [], nextPageToken: "" } },
};

test.each([
  ["three pages", ["", "second", "third"], ["a", "b", "c"]],
  ["one empty page", [""], []],
])("a list of %s is read to its end", async (list, tokens, items) => {
  const asked: string[] = [];
  const pages = await everyPage(async ({ pageSize, pageToken }) => {
    expect(pageSize).toBe(1_000);
    asked.push(pageToken);
    return LISTS[list]?.[pageToken] ?? { items: ["a page that nothing leads to"], nextPageToken: "" };
  });
  expect(asked).toEqual(tokens);
  expect(pages.flatMap((page) => page.items)).toEqual(items);
});
