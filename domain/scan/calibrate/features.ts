import type { Candidate, ImageStatistics } from '../types.js';
import { FURTHER_KINDS, familyOf, isReading } from './families.js';
import { SCALES } from './thresholds.js';

type Judgeable = Pick<Candidate, 'kind' | 'area' | 'features' | 'suggestedClassId' | 'classId'>;

/** The chunk's results for the classes of a candidate; threshold and IoU are those of the claimed class, 0..1. */
export interface ClaimedClass {
  /** Confident-learning threshold. */
  threshold: number;
  /** IoU of label and prediction over the scan. */
  iou: number;
  /** Fit of the given and the suggested class with the other parts in the picture (`Plausibility`); 0 for no part. */
  givenFit: number;
  suggestedFit: number;
  /** log of the candidate's area over the median area of its class; 0 if that is unknown. */
  relativeSize: number;
}

interface Known {
  candidate: Judgeable;
  claimed: ClaimedClass;
  /** Tag values of the picture. */
  pixels: number;
}

/** A column of a regression: a measurement on a scale that makes slopes comparable. */
interface Column<Name extends string, Input> {
  name: Name;
  unit: string;
  sentence: string;
  read(input: Input): number;
}

const column = <Name extends string, Input>(
  name: Name,
  unit: string,
  sentence: string,
  read: (input: Input) => number,
): Column<Name, Input> => ({ name, unit, sentence, read });

const clip = (value: number, least: number, most: number): number => Math.max(least, Math.min(most, value));

/** The columns of a candidate's row, in the order in which a scan's summary lists their coefficients. */
export const COLUMNS = [
  column('intercept', '1', 'The same for every candidate.', () => 1),
  column(
    'confidence',
    '-1..1',
    "`confidence` above the class's confident-learning threshold.",
    ({ candidate, claimed }: Known) => candidate.features.confidence - claimed.threshold,
  ),
  column('disagreement', '0..1', '`disagreement`.', ({ candidate }: Known) => candidate.features.disagreement),
  column('coverage', '0..1', '`coverage`.', ({ candidate }: Known) => candidate.features.coverage),
  column('size', 'log / 3, -1..2', 'The area in thousandths of the picture.', ({ candidate, pixels }: Known) =>
    Math.max(
      SCALES.leastSize,
      Math.min(
        SCALES.mostSize,
        Math.log((SCALES.sizeUnits * candidate.area) / Math.max(1, pixels)) / SCALES.sizeDivisor,
      ),
    ),
  ),
  column('compactness', '0..1', '`compactness`.', ({ candidate }: Known) => candidate.features.compactness),
  column('enclosure', '0..1', '`enclosure`.', ({ candidate }: Known) => candidate.features.enclosure),
  column('absent', '0 or 1', '`absent`.', ({ candidate }: Known) => candidate.features.absent),
  column(
    'balance',
    'log / 3',
    '`balance`.',
    ({ candidate }: Known) => candidate.features.balance / SCALES.balanceDivisor,
  ),
  column('context', '0..1', '`context`.', ({ candidate }: Known) => candidate.features.context),
  column(
    'gain',
    '5 × gain',
    '`gain`; how badly another reading fits says nothing, and beyond a quarter of the car a better one is beyond doubt.',
    ({ candidate }: Known) =>
      SCALES.gainFactor *
      (isReading(candidate)
        ? clip(candidate.features.gain, SCALES.leastGain, SCALES.mostGain)
        : candidate.features.gain),
  ),
  column('classIou', '0..1', 'IoU of label and prediction over the scan.', ({ claimed }: Known) => claimed.iou),
  column(
    'together',
    '0..1',
    'Confidence × disagreement × coverage: each alone is often high by chance, all together hardly ever.',
    ({ candidate: { features } }: Known) => features.confidence * features.disagreement * features.coverage,
  ),
  column(
    'givenFit',
    'log2 / 2',
    'Fit of the labelled class with the other parts in the picture.',
    ({ claimed }: Known) => claimed.givenFit / SCALES.fitDivisor,
  ),
  column(
    'suggestedFit',
    'log2 / 2',
    'Fit of the suggested class with them.',
    ({ claimed }: Known) => claimed.suggestedFit / SCALES.fitDivisor,
  ),
  column(
    'relativeSize',
    'log / 2, -1.5..0.5',
    "The area over the class's median area.",
    ({ claimed }: Known) =>
      clip(claimed.relativeSize, SCALES.leastRelativeSize, SCALES.mostRelativeSize) / SCALES.relativeSizeDivisor,
  ),
  column(
    'boundaryBias',
    '5 × share',
    '`spill`.',
    ({ candidate }: Known) => SCALES.boundaryBiasFactor * (candidate.features.spill ?? 0),
  ),
  column(
    'fullness',
    '10 × share',
    '`fullness`.',
    ({ candidate }: Known) => SCALES.fullnessFactor * (candidate.features.fullness ?? 0),
  ),
  column('broken', '0..2', '`broken`, at most 2.', ({ candidate }: Known) =>
    Math.min(SCALES.mostBroken, candidate.features.broken ?? 0),
  ),
  column(
    'fitting',
    '2 × fitting',
    '`fitting`.',
    ({ candidate }: Known) => SCALES.fittingFactor * (candidate.features.fitting ?? 0),
  ),
  column(
    'otherErrors',
    '0..1',
    'P(another missing part of the label is wrong); 0 until `withinLabel.ts` knows.',
    () => 0,
  ),
] as const;
export type ColumnName = (typeof COLUMNS)[number]['name'];

/** The column for the other errors of the same label (`withinLabel.ts`). */
export const OTHERS_COLUMN = COLUMNS.findIndex(({ name }) => name === 'otherErrors');

/** The row of a candidate in its family: `COLUMNS`, and one indicator for each further kind. */
export function familyRow(candidate: Judgeable, claimed: ClaimedClass, pixels: number): number[] {
  const known = { candidate, claimed, pixels };
  return [
    ...COLUMNS.map(({ read }) => read(known)),
    ...FURTHER_KINDS[familyOf(candidate)].map((kind) => (kind === candidate.kind ? 1 : 0)),
  ];
}

interface KnownImage {
  statistics: ImageStatistics;
  /** The usual agreement of such pictures, 0..1. */
  expected: number;
  /** Of its candidates. */
  probabilities: readonly number[];
}

/** The columns of an image's row, in the order in which a scan's summary lists their coefficients. */
export const IMAGE_COLUMNS = [
  column('intercept', '1', 'The same for every image.', () => 1),
  column('best', 'log odds / 3', 'Its most probable candidate.', ({ probabilities }: KnownImage) => {
    const bounded = Math.min(SCALES.mostBest, Math.max(SCALES.leastBest, ...probabilities));
    return Math.log(bounded / (1 - bounded)) / SCALES.bestDivisor;
  }),
  column(
    'several',
    '0..2',
    'All of its candidates: the sum of -log(1 - p), divided by 3.',
    ({ probabilities }: KnownImage) =>
      Math.min(
        SCALES.mostSeveral,
        probabilities.reduce((sum, p) => sum - Math.log1p(-Math.min(SCALES.mostOfSeveral, p)), 0) /
          SCALES.severalDivisor,
      ),
  ),
  column('unlabelled', 'root of share', '`unlabelledMass`.', ({ statistics }: KnownImage) =>
    Math.sqrt(statistics.unlabelledMass),
  ),
  column('holes', 'root of share', '`holeMass`.', ({ statistics }: KnownImage) => Math.sqrt(statistics.holeMass)),
  column('wrongClass', 'root of share', '`relabelledMass`.', ({ statistics }: KnownImage) =>
    Math.sqrt(statistics.relabelledMass),
  ),
  column('extra', 'root of share', '`extraMass`.', ({ statistics }: KnownImage) => Math.sqrt(statistics.extraMass)),
  column('absentParts', 'parts / 2, 0..2', '`absentParts`.', ({ statistics }: KnownImage) =>
    Math.min(SCALES.mostAbsentParts, statistics.absentParts / SCALES.absentPartsDivisor),
  ),
  column(
    'agreement',
    '2 × share',
    '`agreement`.',
    ({ statistics }: KnownImage) => SCALES.agreementFactor * statistics.agreement,
  ),
  column(
    'clarity',
    '2 × share',
    '`clarity`.',
    ({ statistics }: KnownImage) => SCALES.clarityFactor * statistics.clarity,
  ),
  column(
    'expectedAgreement',
    '4 × share',
    'The agreement that is usual for such pictures, above 0.8.',
    ({ expected }: KnownImage) => SCALES.expectedFactor * (expected - SCALES.usualAgreement),
  ),
] as const;
export type ImageColumnName = (typeof IMAGE_COLUMNS)[number]['name'];

/**
 * An image as a row of the image regression. `expected`: usual agreement of such pictures; `probabilities`: of its
 * candidates.
 */
export function imageRow(statistics: ImageStatistics, expected: number, probabilities: readonly number[]): number[] {
  const known = { statistics, expected, probabilities };
  return IMAGE_COLUMNS.map(({ read }) => read(known));
}
