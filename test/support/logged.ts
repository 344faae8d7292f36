import { until } from "./until.ts";

/**
 * Resolves with the first line of a log that has this text in it, once it is there. A program writes its log when it comes to
 * it: what it has done may be seen elsewhere before.
 */
export async function logged(program: { log(): string }, text: string): Promise<string> {
  const line = () =>
    program
      .log()
      .split("\n")
      .slice(0, -1)
      .find((candidate) => candidate.includes(text));
  await until(`the log says ${text}`, () => line() !== undefined);
  return line() ?? "";
}
