import { isWrongLabel } from '../../domain/images/wrongLabel.js';
import type { Verdict } from '../../domain/review/review.js';
import { BACKGROUND } from '../../domain/taxonomy.js';
import type { ManifestFinding, ManifestImage } from '../../formats/manifest.js';

/** A finding counts as corrected where at least this share of its area changed: less is a retouched edge. */
const CORRECTED_AT = 0.2;

/**
 * Findings that a corrected label answers: those of a place where their region was changed, and those of the label as a
 * whole where the correction says that the label was wrong elsewhere than the others account for.
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

/** About no class: mirrored, displaced, coarse throughout, empty, or another label than an equal picture has. */
const isOfWholeLabel = ({ classId, suggestedClassId }: ManifestFinding): boolean =>
  classId === BACKGROUND && suggestedClassId === null;

/**
 * True where the reviewer changed what the finding objected to: pixels in its box that had or got one of its classes.
 */
function isRegionChanged(
  image: ManifestImage,
  finding: ManifestFinding,
  before: Uint8Array,
  after: Uint8Array,
): boolean {
  // Of a label as a whole that was given no area, no share can be told.
  if (isOfWholeLabel(finding) && finding.areaShare === 0) return false;
  let changed = 0;
  for (const _ of changesOf(image, finding, before, after)) changed++;
  return changed >= Math.max(1, CORRECTED_AT * finding.areaShare * image.width * image.height);
}

/** Undo in `after` what a finding of a place accounts for. */
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
    // Every finding that is written down is shown.
    ...{ propensity: 1, verdict, comment: null },
    ...more,
  };
}
