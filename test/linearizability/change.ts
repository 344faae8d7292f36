import fc from "fast-check";

/** A change, drawn at random. `which` says of which of the writer's keys. */
export type Change = typeof CHANGE extends fc.Arbitrary<infer Value> ? Value : never;

/** A key lives through some ten changes. Imports are many: only their secrets are known, and refused, before the key is there. */
const CHANGE = fc.record({
  kind: fc.oneof(
    { weight: 4, arbitrary: fc.constant("import" as const) },
    { weight: 2, arbitrary: fc.constant("create" as const) },
    { weight: 4, arbitrary: fc.constant("update" as const) },
    { weight: 4, arbitrary: fc.constant("disable" as const) },
    { weight: 4, arbitrary: fc.constant("enable" as const) },
    { weight: 4, arbitrary: fc.constant("revoke" as const) },
    { weight: 1, arbitrary: fc.constant("rotate" as const) },
    { weight: 2, arbitrary: fc.constant("owner" as const) },
  ),
  which: fc.nat(100),
});

/** The same changes for the same seed. */
export function drawChanges(count: number, seed: number): Change[] {
  return fc.sample(CHANGE, { numRuns: count, seed });
}
