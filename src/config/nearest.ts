/** Longer words are not typos of ours, and the time is quadratic. */
const MAX_WORD_LENGTH = 64;

/**
 * Returns the candidate that a mistyped word most likely meant, or undefined where none is near: at most one slip (a
 * letter too many, too few, wrong, or two swapped) for each three letters.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > MAX_WORD_LENGTH) return undefined;
  let best: string | undefined;
  let bestSlips = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    // Each letter more or less is a slip.
    if (Math.abs(candidate.length - word.length) >= bestSlips) continue;
    const slips = countSlips(word, candidate);
    if (slips < bestSlips) [best, bestSlips] = [candidate, slips];
  }
  return best;
}

/** The optimal string alignment distance, kept in three rows. */
function countSlips(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const isSame = from[row - 1] === to[column - 1];
      const isSwap = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      const left = current[column - 1] ?? 0;
      const above = last[column] ?? 0;
      const diagonal = (last[column - 1] ?? 0) + (isSame ? 0 : 1);
      const swapped = isSwap ? (beforeLast[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      current.push(Math.min(left + 1, above + 1, diagonal, swapped));
    }
    [beforeLast, last] = [last, current];
  }
  return last[to.length] ?? 0;
}
