import type { Verdict } from '../../domain/review.js';
import { BACKGROUND } from '../../domain/taxonomy.js';
import type { ManifestFinding, ManifestImage } from '../../formats/manifest.js';

/** A finding counts as corrected where at least this share of its area changed: less is a retouched edge. */
const CORRECTED_AT = 0.2;

/** True where the reviewer changed what the finding objected to: pixels in its box that had or got one of its classes. */
export function isCorrected(
  { width, height }: ManifestImage,
  { classId, suggestedClassId, box, areaShare }: ManifestFinding,
  before: Uint8Array,
  after: Uint8Array,
): boolean {
  const classes = new Set([classId, suggestedClassId].filter((value) => value !== null && value !== BACKGROUND));
  const concerns = (value: number | undefined): boolean => classes.size === 0 || classes.has(value ?? BACKGROUND);
  const [x0, y0, x1, y1] = box;
  let changed = 0;
  for (let y = Math.floor(y0 * height); y < Math.ceil(y1 * height); y++) {
    for (let x = Math.floor(x0 * width); x < Math.ceil(x1 * width); x++) {
      const pixel = y * width + x;
      if (before[pixel] !== after[pixel] && (concerns(before[pixel]) || concerns(after[pixel]))) changed++;
    }
  }
  return changed >= Math.max(1, CORRECTED_AT * areaShare * width * height);
}

/** A verdict on an exported finding. */
export function verdictOn(
  { imageId, labelSha256 }: ManifestImage,
  { findingId, kind, classId, suggestedClassId, box, pWrong, pModel }: ManifestFinding,
  verdict: Verdict['verdict'],
  more: Pick<Verdict, 'correctedSha256' | 'reviewer' | 'reviewedAt'>,
): Verdict {
  const [x0, y0, x1, y1] = box;
  return {
    ...{ findingId, imageId, labelSha256, kind, classId, suggestedClassId, x0, y0, x1, y1, pWrong, pModel },
    // Every finding that is written down is shown.
    ...{ propensity: 1, verdict, comment: null },
    ...more,
  };
}
