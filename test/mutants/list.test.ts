import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { broken } from "./broken.ts";
import { MUTANTS } from "./list.ts";

describe("what `npm run mutants` breaks is there to be broken:", () => {
  test.each(MUTANTS.map(({ file, tests, mutants }) => ({ file, tests, mutants })))(
    "$file",
    ({ file, tests, mutants }) => {
      const source = readFileSync(file, "utf8");
      expect(tests.filter((path) => !existsSync(path))).toEqual([]);
      expect(new Set(mutants.map((mutant) => broken(file, source, mutant))).size).toBe(mutants.length);
    },
  );
});

test.each([
  ["is not there", "b", "exactly once"],
  ["is there twice", "a", "exactly once"],
])("a text that %s is an error", (_title, text, message) => {
  expect(() => broken("x.ts", "a(); a();", { text, instead: "" })).toThrow(message);
});

test("a mutant that does not parse is an error", () => {
  expect(() => broken("x.ts", "a();", { text: ")", instead: "" })).toThrow();
  expect(broken("x.ts", "a();", { text: "a", instead: "b" })).toBe("b();");
});
