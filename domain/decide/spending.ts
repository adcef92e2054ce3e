/** The part of alpha that is kept for looks after the planned ones. */
const TAIL = 0.1;

/** How worn a test set is after a look. */
export interface Wear {
  planned: number;
  used: number;
  /** Planned looks that remain, each with the error probability of the first one. */
  left: number;
}

/**
 * The error probability of look k at one test version. Each planned look gets the same, so that gains are seen as well
 * at the last one as at the first. Looks after them share a tenth of alpha at 1/(m(m+1)) for the m-th of them, and none
 * gets more than a planned one. Over any number of looks the sum is at most `alpha`, so the bound on false promotions
 * holds whatever the looks have in common (Bonferroni).
 */
export function spentAlpha(alpha: number, look: number, planned: number): number {
  const equal = (alpha * (1 - TAIL)) / planned;
  const after = look - planned;
  return after <= 0 ? equal : Math.min(equal, (alpha * TAIL) / (after * (after + 1)));
}

export function wearOf(look: number, planned: number): Wear {
  return { planned, used: look, left: Math.max(0, planned - look) };
}

/** A sentence for people. */
export function wearText({ planned, used, left }: Wear): string {
  if (used > planned)
    return `the test set is worn: look ${used} of ${planned} planned ones, and fewer gains are seen at each; it needs fresh test images`;
  if (left === 0)
    return `look ${used} of ${planned} at this test set was the last planned one: it needs fresh test images`;
  return `look ${used} of ${planned} planned ones at this test set; ${left} are left`;
}
