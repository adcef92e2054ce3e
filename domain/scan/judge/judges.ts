import type { ChunkRow } from '../../tables.js';

/** A trained model that might judge: what it was trained on, and how well it did on val. Newest last. */
export interface JudgeCandidate {
  name: string;
  scanKey: string;
  cardKey: string;
  /**
   * Images, vehicles and duplicate clusters of its training list; null where the list is unknown: then it judges
   * nothing.
   */
  seen: { images: ReadonlySet<string>; vehicles: ReadonlySet<string>; clusters: ReadonlySet<string> } | null;
  valMiou: number | null;
  /** Classes with ground truth in val that it does not find at all. */
  zeroClasses: number;
}

/**
 * Models that may judge, best first: those with a val mIoU within `tolerance` of the best, with as few classes unseen
 * as any of these, newest first. A class that no model finds must not cost every scan a cross-validation: its findings
 * are silenced by its IoU instead.
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
