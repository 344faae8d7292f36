import { expect, test } from "vitest";
import { checkClientForThisTest, keywardForThisTest } from "../support/for-this-test.ts";
import { logged } from "../support/logged.ts";
import { until } from "../support/until.ts";

interface Line {
  level: string;
  msg: string;
  suppressed?: number;
  time: string;
}

function linesOf(log: string): Line[] {
  return log
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
}

test("what threads have to say stands in the log of the program, one JSON object a line", async () => {
  const keyward = await keywardForThisTest();
  await checkClientForThisTest(keyward.authz).check();
  await logged(keyward, "denied: no_credential");
  const lines = linesOf(keyward.log());
  expect(lines.map(({ level, msg }) => [level, msg])).toEqual([
    ["info", "serving"],
    ["info", "denied: no_credential"],
  ]);
  expect(lines.map(({ time }) => new Date(time).toISOString())).toEqual(lines.map(({ time }) => time));
});

test("a flood of denials is ten lines a second and their number, and none of them goes uncounted", async () => {
  const keyward = await keywardForThisTest();
  const client = checkClientForThisTest(keyward.authz);
  let sent = 0;
  const send = async (times: number) => {
    await Promise.all(Array.from({ length: times }, () => client.check()));
    sent += times;
  };
  await send(500);
  const told = () => {
    const lines = linesOf(keyward.log());
    const shown = lines.filter(({ msg }) => msg === "denied: no_credential").length;
    return { shown, kept: lines.reduce((sum, line) => sum + (line.suppressed ?? 0), 0) };
  };
  // What was kept back is told with the first denial of the next second.
  await until("every denial is shown or counted", async () => {
    const { shown, kept } = told();
    if (shown + kept === sent) return true;
    await send(1);
    return false;
  });
  expect(told().kept).toBeGreaterThan(0);
  expect(told().shown).toBeLessThan(100);
});
