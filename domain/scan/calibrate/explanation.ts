import type { Calibration, JudgedCandidate, JudgedImage } from './calibrate.js';
import { slicesOf } from './candidateSlices.js';
import { FURTHER_KINDS } from './families.js';
import { COLUMNS, IMAGE_COLUMNS } from './features.js';
import { PRIORS } from './priors.js';
import type { Coefficients } from './statistics/logistic.js';
import type { GroupedRow, PositiveUnlabelledFit } from './statistics/positiveUnlabelled.js';
import type { SliceShifts } from './statistics/sliceRecalibration.js';

/** One column of a regression; it adds `value` × `slope` to the log odds. */
interface Term {
  name: string;
  value: number;
  slope: number;
  /** The slope before anything of the chunk was known. */
  prior: number;
}

/**
 * The log odds of a probability, part by part: the terms and `raise` are the log likelihood ratio, to which the log
 * odds of `share` and the slices are added.
 */
export interface Explanation {
  group: string;
  terms: Term[];
  /** Added to the terms so that injected errors have no negative mean (`POSITIVE_UNLABELLED`). */
  raise: number;
  /** Estimated share of wrong ones in the group. */
  share: number;
  /** Slices in which the model is weak, with the log odds that they add: 0 or below. */
  slices: { slice: string; logOdds: number }[];
  logOdds: number;
}

/**
 * A candidate's probability before explaining away and reviewers' answers. `priors` are those of the calibration.
 */
export function explainCandidate(
  calibration: Calibration,
  image: Pick<JudgedImage, 'slices'>,
  { candidate, measured }: JudgedCandidate,
  priors = PRIORS,
): Explanation {
  const { family, group } = measured;
  const names = [...COLUMNS.map(({ name }) => name), ...FURTHER_KINDS[family]];
  const slices = slicesOf({ candidate, ...measured }, image.slices);
  const shifts = calibration.shifts.candidates.get(group) ?? new Map<string, number>();
  return explain(calibration.families[family], priors.families[family], names, measured, slices, shifts);
}

/** An image's probability before reviewers' answers silenced any of its candidates. */
export function explainImage(
  calibration: Calibration,
  { measured, slices }: Pick<JudgedImage, 'measured' | 'slices'>,
  priors = PRIORS,
): Explanation {
  const names = IMAGE_COLUMNS.map(({ name }) => name);
  return explain(calibration.images, priors.image, names, measured, slices, calibration.shifts.images);
}

const EVEN = 0.5;

function explain(
  { coefficients, logOdds, shares }: PositiveUnlabelledFit,
  prior: Coefficients,
  names: readonly string[],
  { group, row }: GroupedRow,
  slices: readonly string[],
  shifts: SliceShifts,
): Explanation {
  const terms = names.map((name, at) => ({
    name,
    value: row[at] as number,
    slope: coefficients[at] as number,
    prior: prior[at] as number,
  }));
  const share = shares[group] ?? EVEN;
  const raise = (logOdds[group] ?? 0) - logOf(share);
  const lowered = slices.flatMap((slice) => {
    const shift = shifts.get(slice) ?? 0;
    return shift === 0 ? [] : [{ slice, logOdds: shift }];
  });
  const ratio = terms.reduce((sum, { value, slope }) => sum + value * slope, raise);
  const sum = lowered.reduce((total, slice) => total + slice.logOdds, ratio + logOf(share));
  return { group, terms, raise, share, slices: lowered, logOdds: sum };
}

const logOf = (share: number): number => Math.log(share / (1 - share));
