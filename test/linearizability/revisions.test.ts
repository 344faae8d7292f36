import { expect, test } from "vitest";
import { judgeRevisions, type Sighting } from "./revisions.ts";

function sighting(begunMs: number, revision: number | undefined, thread = "thread 0"): Sighting {
  return { thread, begunMs, revision };
}

/** Revision 7 was said to be enforced at 100. */
const ENFORCED = [{ revision: 7, acknowledgedMs: 100 }];

test.each<[string, readonly Sighting[]]>([
  ["a thread that goes on", [sighting(90, 6), sighting(101, 7), sighting(102, 9)]],
  ["a thread that is behind what was not enforced yet when it was asked", [sighting(100, 6)]],
  ["a thread that is replaced", [sighting(101, 7), sighting(102, undefined), sighting(103, 7)]],
  ["a thread that is behind another", [sighting(90, 6), sighting(91, 5, "thread 1")]],
])("%s is in order", (_, sightings) => {
  expect(judgeRevisions(sightings, ENFORCED)).toEqual([]);
});

test.each<[string, readonly Sighting[], string]>([
  ["a thread that goes back", [sighting(90, 6), sighting(91, 5)], "thread 0 went back from revision 6 to 5"],
  [
    "a thread that goes back while it is replaced",
    [sighting(90, 6), sighting(91, undefined), sighting(92, 5)],
    "thread 0 went back from revision 6 to 5",
  ],
  ["a thread that is behind what is enforced", [sighting(101, 6)], "thread 0 was at revision 6 when 7 was enforced"],
])("%s is found", (_, sightings, finding) => {
  expect(judgeRevisions(sightings, ENFORCED)).toEqual([finding]);
});
