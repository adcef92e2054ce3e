/** A claim about one part or a whole label: its kind, probability and region. */
export interface Claim<Kind extends string = string> {
  kind: Kind;
  probability: number;
  /** Pixels it speaks of; null if it speaks of the whole label. */
  region: ReadonlySet<number> | null;
}

/** An error that is known to be there. */
export interface Planted<Kind extends string = string> {
  kind: Kind;
  /** Pixels that are wrong; null if the whole label is. */
  region: ReadonlySet<number> | null;
}

/** A claim matches an error of its own kind if their regions overlap by this IoU; whole labels always do. */
export const MATCH_IOU = 0.3;

export function meets(claim: Claim, error: Planted): boolean {
  if (claim.kind !== error.kind) return false;
  if (error.region === null) return true;
  if (claim.region === null) return false;
  let shared = 0;
  for (const pixel of error.region) if (claim.region.has(pixel)) shared++;
  return shared / (claim.region.size + error.region.size - shared) >= MATCH_IOU;
}

/** One judged claim: its probability, the errors (ids) that it meets; none means that it is false. */
export interface JudgedClaim {
  kind: string;
  probability: number;
  meets: readonly string[];
}

export interface DetectionAt {
  /** Smallest probability that counts. */
  threshold: number;
  recall: number;
  precision: number | null;
}

/** Recall and precision of claims of at least `threshold` against `planted` errors. */
export function detectionAt(claims: readonly JudgedClaim[], planted: number, threshold: number): DetectionAt {
  const counted = claims.filter(({ probability }) => probability >= threshold);
  const found = new Set(counted.flatMap((claim) => claim.meets));
  const right = counted.filter((claim) => claim.meets.length > 0).length;
  return {
    threshold,
    recall: planted === 0 ? 0 : found.size / planted,
    precision: counted.length === 0 ? null : right / counted.length,
  };
}

/**
 * The threshold with the largest recall among those whose precision is at least `precision`; null if there is none.
 */
export function bestAtPrecision(
  claims: readonly JudgedClaim[],
  planted: number,
  precision: number,
): DetectionAt | null {
  const sorted = [...claims].sort((a, b) => b.probability - a.probability);
  const found = new Set<string>();
  let right = 0;
  let best: DetectionAt | null = null;
  sorted.forEach((claim, index) => {
    if (claim.meets.length > 0) right++;
    for (const id of claim.meets) found.add(id);
    if (sorted[index + 1]?.probability === claim.probability) return;
    const share = right / (index + 1);
    if (share >= precision)
      best = { threshold: claim.probability, recall: planted === 0 ? 0 : found.size / planted, precision: share };
  });
  return best;
}
