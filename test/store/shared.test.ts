import { expect, test } from "vitest";
import { createShared } from "../../src/store/shared.ts";

/** What makes a list of a text, and how often it did. */
function counted() {
  const made: string[] = [];
  const listOf = createShared((text) => {
    made.push(text);
    return text.split(" ");
  });
  return { made, listOf };
}

test("equal texts have one thing in common, and others have their own", () => {
  const { made, listOf } = counted();
  expect(listOf("a b")).toBe(listOf(["a", "b"].join(" ")));
  expect(listOf("a c")).toEqual(["a", "c"]);
  expect(made).toEqual(["a b", "a c"]);
});

test.each([
  ["200 characters", 200, 1],
  ["201 characters", 201, 2],
])("a text of %s is made into one thing: %i, %i times", (_title, length, times) => {
  const { made, listOf } = counted();
  for (let time = 0; time < 2; time++) expect(listOf("x".repeat(length))).toEqual(["x".repeat(length)]);
  expect(made).toHaveLength(times);
});

test("no more than a thousand are kept", () => {
  const { made, listOf } = counted();
  for (let number = 0; number <= 1_000; number++) listOf(`n${number}`);
  expect(listOf("n1000")).toEqual(["n1000"]);
  expect(made).toHaveLength(1_001);
  expect(listOf("n0")).toEqual(["n0"]);
  expect(made).toHaveLength(1_002);
});
