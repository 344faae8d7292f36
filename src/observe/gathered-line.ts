/** A line in so long tells of all that happened. */
const INTERVAL_MS = 10_000;

/** What happens within this time of the first is told together with it. */
const GATHERING_MS = 1_000;

/**
 * Returns what asks for a line: `tell` is called once for however many have asked, a second after the first of them and at
 * most once in ten seconds. The wait does not keep the program alive.
 */
export function createGatheredLine(tell: () => void): () => void {
  let waiting = false;
  let lastMs = Number.NEGATIVE_INFINITY;
  const due = () => {
    waiting = false;
    lastMs = performance.now();
    tell();
  };
  return () => {
    if (waiting) return;
    waiting = true;
    setTimeout(due, Math.max(GATHERING_MS, lastMs + INTERVAL_MS - performance.now())).unref();
  };
}
