/** The candidate that was most likely meant by a mistyped word; undefined if none is close. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const asked = plain(word);
  let best: string | undefined;
  // A third of the letters may be wrong; with more, a guess is worse than none.
  let least = Math.max(1, Math.floor(asked.length / 3)) + 1;
  for (const candidate of candidates) {
    const edits = distance(asked, plain(candidate), least);
    if (edits < least) {
      best = candidate;
      least = edits;
    }
  }
  return best;
}

/** Longer words cannot be typing errors of our names. */
const MAX_LENGTH = 64;

const plain = (word: string): string => word.slice(0, MAX_LENGTH).toLowerCase().replaceAll(/[-_ ]/g, '');

/** Insertions, deletions, replacements and swaps of neighbours between two words (optimal string alignment). */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const next = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let edits = Math.min(
        (last[column] ?? 0) + 1,
        (next[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1])
        edits = Math.min(edits, (before[column - 2] ?? 0) + 1);
      next.push(edits);
    }
    before = last;
    last = next;
  }
  return last[b.length] ?? limit;
}
