import { expect, test } from "vitest";
import { parseTables } from "./parse-table.ts";

const vocabulary = { rows: ["one", "two"], columns: ["a", "b"], words: ["yes", "no"] };

const SOUND = `
      | a    b
one   | yes  no
two   | no   yes
`;

test("a table is read cell by cell", () => {
  expect(parseTables([SOUND], vocabulary)).toEqual([
    { row: "one", column: "a", word: "yes", parenthesized: false },
    { row: "one", column: "b", word: "no", parenthesized: false },
    { row: "two", column: "a", word: "no", parenthesized: false },
    { row: "two", column: "b", word: "yes", parenthesized: false },
  ]);
});

test("parentheses mark a row or a column, and are no part of its name", () => {
  const text = SOUND.replace("| a    b", "| (a)  b").replace("two  ", "(two)");
  const marked = parseTables([text], vocabulary).filter(({ parenthesized }) => parenthesized);
  expect(marked.map(({ row, column }) => `${row} ${column}`)).toEqual(["one a", "two a", "two b"]);
});

test("the row (each) stands for every row", () => {
  const [left, right] = ["\n    | a\none | yes\ntwo | no\n", "\n       | b\n(each) | no\n"];
  const cells = parseTables([left, right], vocabulary);
  expect(cells.map(({ row, column, word }) => `${row} ${column} ${word}`)).toEqual([
    "one a yes",
    "two a no",
    "one b no",
    "two b no",
  ]);
});

test.each<[title: string, from: string, to: string, message: string]>([
  ["a word too few", "yes  no", "yes", "not below the headings: one   | yes"],
  ["a word too many", "yes  no", "yes  no  no", "not below the headings: one   | yes  no  no"],
  ["a word beside its heading", "yes  no", "yes no", "not below the headings: one   | yes no"],
  ["a bar out of line", "one   |", "one  |", "not below the headings: one  | yes  no"],
  ["no bar", "one   |", "one", "must have one bar: one yes  no"],
  ["a second bar", "yes  no", "yes |no", "must have one bar: one   | yes |no"],
  ["an unknown word", "yes  no", "yea  no", "is not known: yea"],
  ["an unknown row", "one ", "ome ", "is not known: ome"],
  ["an unknown column", "a    b", "a    c", "is not known: c"],
  ["a column twice", "a    b", "a    a", "one × a stands 2 times"],
  ["a row twice", "two ", "one ", "one × a stands 2 times"],
  ["a missing row", "two   | no   yes", "", "two × a stands 0 times"],
  ["a name before the headings", "      | a", "x     | a", "headings have no name: x"],
])("%s makes a table malformed", (_, from, to, message) => {
  expect(() => parseTables([SOUND.replace(from, to)], vocabulary)).toThrow(new Error(message));
});
