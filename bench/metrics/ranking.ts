/** Indices by score, highest first; equal scores stand together in `groups`, so that ties favour nobody. */
function tiedGroups(scores: readonly number[]): number[][] {
  const order = scores.map((_, index) => index).sort((a, b) => (scores[b] as number) - (scores[a] as number));
  const groups: number[][] = [];
  for (const index of order) {
    const last = groups.at(-1);
    if (last !== undefined && scores[last[0] as number] === scores[index]) last.push(index);
    else groups.push([index]);
  }
  return groups;
}

/**
 * Area under the ROC curve: the chance that a wrong one scores above a right one, ties half (Mann and Whitney 1947).
 * null if one of the two sides is empty.
 */
export function auroc(scores: readonly number[], wrong: readonly boolean[]): number | null {
  let above = 0;
  let pairs = 0;
  let found = 0;
  for (const group of tiedGroups(scores)) {
    const bad = group.filter((index) => wrong[index]).length;
    const good = group.length - bad;
    above += good * (found + bad / 2);
    found += bad;
    pairs += good;
  }
  return pairs === 0 || found === 0 ? null : above / (pairs * found);
}

/**
 * Average precision: precision at each rank that raises recall, weighted by the raise; a group of ties counts as one
 * rank. null if nothing is wrong.
 */
export function averagePrecision(scores: readonly number[], wrong: readonly boolean[]): number | null {
  const total = wrong.filter(Boolean).length;
  if (total === 0) return null;
  let seen = 0;
  let found = 0;
  let sum = 0;
  for (const group of tiedGroups(scores)) {
    const bad = group.filter((index) => wrong[index]).length;
    seen += group.length;
    found += bad;
    sum += (bad * found) / seen;
  }
  return sum / total;
}

/** Share of wrong ones among the `count` highest scores; of a group of ties at the cut, the expected share. */
export function precisionAt(scores: readonly number[], wrong: readonly boolean[], count: number): number {
  const most = Math.min(count, scores.length);
  let left = most;
  let found = 0;
  for (const group of tiedGroups(scores)) {
    if (left <= 0) break;
    const taken = Math.min(left, group.length);
    found += (group.filter((index) => wrong[index]).length * taken) / group.length;
    left -= taken;
  }
  return most === 0 ? 0 : found / most;
}
