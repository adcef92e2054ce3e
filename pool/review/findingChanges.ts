import { isWrongLabel } from '../../domain/images/wrongLabel.js';
import type { Verdict } from '../../domain/review/review.js';
import { BACKGROUND } from '../../domain/taxonomy.js';
import type { ManifestFinding, ManifestImage } from '../../formats/manifest.js';

/** A finding counts as corrected if at least this share of its area changed: less is a retouched edge. */
const CORRECTED_AT = 0.2;

/**
 * Findings that a corrected label answers: findings of a place if their region was changed, and findings of the whole
 * label if the correction shows errors beyond those of the other findings.
 */
export function correctedFindings(image: ManifestImage, before: Uint8Array, after: Uint8Array): ManifestFinding[] {
  const { width, height, findings } = image;
  const acted = new Set(findings.filter((finding) => isRegionChanged(image, finding, before, after)));
  const whole = findings.filter((finding) => isOfWholeLabel(finding) && !acted.has(finding));
  if (whole.length > 0) {
    const rest = Uint8Array.from(after);
    for (const finding of acted) putBack(image, finding, before, rest);
    if (isWrongLabel(before, rest, width, height)) for (const finding of whole) acted.add(finding);
  }
  return findings.filter((finding) => acted.has(finding));
}

/**
 * Kinds without a class: mirrored, displaced, coarse everywhere, empty, or a label that differs from an equal
 * picture's.
 */
const isOfWholeLabel = ({ classId, suggestedClassId }: ManifestFinding): boolean =>
  classId === BACKGROUND && suggestedClassId === null;

/** True if the reviewer changed the pixels concerned: pixels in its box that had or got one of its classes. */
function isRegionChanged(
  image: ManifestImage,
  finding: ManifestFinding,
  before: Uint8Array,
  after: Uint8Array,
): boolean {
  // A finding of the whole label has no area, so it has no share.
  if (isOfWholeLabel(finding) && finding.areaShare === 0) return false;
  let changed = 0;
  for (const _ of changesOf(image, finding, before, after)) changed++;
  return changed >= Math.max(1, CORRECTED_AT * finding.areaShare * image.width * image.height);
}

/** Undo in `after` the changes that a finding of a place explains. */
function putBack(image: ManifestImage, finding: ManifestFinding, before: Uint8Array, after: Uint8Array): void {
  if (isOfWholeLabel(finding)) return;
  for (const pixel of changesOf(image, finding, before, after)) after[pixel] = before[pixel] as number;
}

function* changesOf(
  { width, height }: ManifestImage,
  { classId, suggestedClassId, box }: ManifestFinding,
  before: Uint8Array,
  after: Uint8Array,
): Generator<number> {
  const classes = new Set([classId, suggestedClassId].filter((value) => value !== null && value !== BACKGROUND));
  const concerns = (value: number | undefined): boolean => classes.size === 0 || classes.has(value ?? BACKGROUND);
  const [x0, y0, x1, y1] = box;
  for (let y = Math.floor(y0 * height); y < Math.ceil(y1 * height); y++) {
    for (let x = Math.floor(x0 * width); x < Math.ceil(x1 * width); x++) {
      const pixel = y * width + x;
      if (before[pixel] !== after[pixel] && (concerns(before[pixel]) || concerns(after[pixel]))) yield pixel;
    }
  }
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
    // Every reported finding is shown.
    ...{ propensity: 1, verdict, comment: null },
    ...more,
  };
}
