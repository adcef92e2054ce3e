import type { ChunkRow } from '../../tables.js';

/** A trained model that might judge: its training images and its results on val. Newest last. */
export interface JudgeCandidate {
  name: string;
  scanKey: string;
  cardKey: string;
  /**
   * Images, vehicles and duplicate clusters of its training list; null if the list is unknown: then it judges nothing.
   */
  seen: { images: ReadonlySet<string>; vehicles: ReadonlySet<string>; clusters: ReadonlySet<string> } | null;
  valMiou: number | null;
  /** Number of classes with ground truth in val that it never finds. */
  zeroClasses: number;
}

/**
 * Models that may judge, best first: those with a val mIoU within `tolerance` of the best, with the fewest unseen
 * classes among these, newest first. A class that no model finds must not cause a cross-validation in every scan: its
 * IoU silences its findings instead.
 */
export function rankJudges(candidates: readonly JudgeCandidate[], tolerance: number): JudgeCandidate[] {
  const known = candidates.filter((candidate) => candidate.seen !== null);
  const best = Math.max(...known.map((candidate) => candidate.valMiou ?? 0));
  const good = known.filter((candidate) => (candidate.valMiou ?? 0) >= best - tolerance);
  const fewest = Math.min(...good.map((candidate) => candidate.zeroClasses));
  const order = (candidate: JudgeCandidate): number => (candidate.zeroClasses === fewest ? 0 : 1);
  return good.toReversed().sort((a, b) => order(a) - order(b));
}

/** Whether a model has seen the image, a near duplicate of it, or its vehicle. */
export function hasSeen(judge: JudgeCandidate, row: ChunkRow): boolean {
  const { seen } = judge;
  if (seen === null) return true;
  return (
    seen.images.has(row.imageId) ||
    seen.clusters.has(row.cluster) ||
    (row.vehicleId !== null && seen.vehicles.has(row.vehicleId))
  );
}
