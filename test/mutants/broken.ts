import { stripTypeScriptTypes } from "node:module";
import type { Mutant } from "./list.ts";

/** A source with a mutant in it. Throws where its text does not stand there exactly once, and where what comes of it does not parse. */
export function broken(file: string, source: string, { text, instead }: Mutant): string {
  const [before, after, ...more] = source.split(text);
  if (before === undefined || after === undefined || more.length > 0) {
    throw new Error(`${file} must hold ${JSON.stringify(text)} exactly once: bring test/mutants/list.ts up to date`);
  }
  const whole = before + instead + after;
  // What does not even parse would be noticed by anything.
  stripTypeScriptTypes(whole);
  return whole;
}
