import { notJudged } from '../scan/counts.js';
import type { FindingRow, ScanImageRow } from '../tables.js';

/** A label that may be wrong, and the finding that says so best. */
export interface SuspectLabel {
  image: ScanImageRow;
  /** Null if no region is suspect, only the label as a whole. */
  finding: FindingRow | null;
  /** Further findings of this label. */
  others: number;
}

/** At least this probable, a label is suspect although no region of it is. */
const SUSPECT_AT = 0.5;

/** The most suspect labels, the most probable first; most labels are not suspect at all. */
export function suspectLabels(
  images: readonly ScanImageRow[],
  findings: readonly FindingRow[],
  atMost: number,
): SuspectLabel[] {
  const own = new Map<string, FindingRow[]>();
  for (const finding of findings) {
    const there = own.get(finding.imageId);
    if (there === undefined) own.set(finding.imageId, [finding]);
    else there.push(finding);
  }
  return images
    .filter((image) => notJudged(image) === null && (image.kinds.length > 0 || image.pMislabelled >= SUSPECT_AT))
    .toSorted((a, b) => b.pMislabelled - a.pMislabelled || (a.fileName < b.fileName ? -1 : 1))
    .slice(0, atMost)
    .map((image) => {
      const [finding = null, ...others] = (own.get(image.imageId) ?? []).toSorted(
        (a, b) => b.pWrong - a.pWrong || (a.findingId < b.findingId ? -1 : 1),
      );
      return { image, finding, others: others.length };
    });
}

/** A share with its range, all 0..1. */
export interface WrongShare {
  value: number;
  low: number;
  high: number;
}

/** Standard deviations of a 95 % interval. */
const WIDTH = 1.96;

/**
 * The share of wrong labels if each label is wrong with its own probability, and the range in which 95 % of such draws
 * lie. It is as good as the probabilities are; null if no label was judged.
 */
export function wrongShare(images: readonly ScanImageRow[]): WrongShare | null {
  const judged = images.filter((image) => notJudged(image) === null);
  if (judged.length === 0) return null;
  const value = judged.reduce((sum, { pMislabelled }) => sum + pMislabelled, 0) / judged.length;
  const variance = judged.reduce((sum, { pMislabelled: p }) => sum + p * (1 - p), 0) / judged.length ** 2;
  const width = WIDTH * Math.sqrt(variance);
  return { value, low: Math.max(0, value - width), high: Math.min(1, value + width) };
}
