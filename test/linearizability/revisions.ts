/** How far one check thread said that it is. */
export interface Sighting {
  /** The process and the thread. */
  readonly thread: string;
  /** Before it was asked. */
  readonly begunMs: number;
  /** The last revision of the store that it obeys; undefined while it obeys none, since it is being replaced. */
  readonly revision: number | undefined;
}

/** A change that was answered as enforced by all threads of a process. */
export interface Enforced {
  readonly revision: number;
  readonly acknowledgedMs: number;
}

/**
 * Tells, in words, where a thread went back to an older revision, or was not at one that was said to be enforced. Sightings
 * and changes stand in the order of their times; `enforced` are those of the process that the threads belong to.
 */
export function judgeRevisions(sightings: readonly Sighting[], enforced: readonly Enforced[]): string[] {
  const findings: string[] = [];
  const seen = new Map<string, number>();
  for (const { thread, begunMs, revision } of sightings) {
    if (revision === undefined) continue;
    const before = seen.get(thread) ?? 0;
    if (revision < before) findings.push(`${thread} went back from revision ${before} to ${revision}`);
    seen.set(thread, revision);
    const promised = newestBefore(enforced, begunMs);
    if (revision < promised) findings.push(`${thread} was at revision ${revision} when ${promised} was enforced`);
  }
  return findings;
}

function newestBefore(enforced: readonly Enforced[], timeMs: number): number {
  return enforced.reduce(
    (newest, { revision, acknowledgedMs }) => (acknowledgedMs < timeMs ? Math.max(newest, revision) : newest),
    0,
  );
}
