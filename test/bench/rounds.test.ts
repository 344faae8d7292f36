import { expect, test } from "vitest";
import { reachOf } from "./reach.ts";
import { difference, type Measured, perRound, ratio, takeTurns } from "./rounds.ts";

function measured(row: readonly string[], cpuUs: readonly number[]): Measured {
  return { part: "servers", row, rounds: cpuUs.map((figure) => ({ cpuUs: figure })) };
}

const base = measured(["base"], [10, 20, 40]);

test.each([
  ["a ratio", ratio, { median: 2, min: 0.5, max: 3 }],
  ["a difference", difference, { median: 10, min: -20, max: 40 }],
])("%s is the median of what each round came to, not of the medians", (_, how, spread) => {
  expect(perRound("cpuUs", [measured(["one"], [20, 60, 20]), base], how)).toEqual(spread);
});

test("nothing is compared with what took no part", () => {
  expect(perRound("cpuUs", [base, undefined], ratio)).toBeUndefined();
});

test("contestants take turns, and rounds of warming up are not counted", async () => {
  const order: string[] = [];
  const contestants = ["a", "b"].map((name) => ({
    part: "check" as const,
    row: [name],
    measure: async () => ({ cpuUs: order.push(name) }),
  }));
  const [a, b] = await takeTurns(contestants, { rounds: 2, warmUpRounds: 1 }, () => {});
  expect(order.join("")).toBe("ababab");
  expect([a?.rounds, b?.rounds]).toEqual([
    [{ cpuUs: 3 }, { cpuUs: 5 }],
    [{ cpuUs: 4 }, { cpuUs: 6 }],
  ]);
});

test.each([
  ["holds where the best round reaches it", [5, 9, 9], true],
  ["is missed where even the best round does not", [5.01, 9, 9], false],
])("a reach %s", (_, hits, holds) => {
  const bare = measured(["grpc-js, bare", "constant", "4×64"], [40, 40, 40]);
  const [reach] = reachOf([measured(["Keyward, h2", "hit", "4×64"], hits), bare]);
  expect(reach).toMatchObject({ what: "Keyward, h2 ÷ grpc-js, bare: CPU, 4×64", atMost: 0.125, holds });
});
