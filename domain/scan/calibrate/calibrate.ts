import type { ScanConfig } from '../../config.js';
import type { Taxonomy } from '../../taxonomy.js';
import type { Candidate, ClassIouByName, ImageAnalysis, ReduceEntry } from '../types.js';
import { candidateProbabilities } from './candidateProbabilities.js';
import { type CandidateShifts, learnCandidateShifts } from './candidateSlices.js';
import type { ClassKnowledge } from './chunk/classes.js';
import { FAMILY_NAMES } from './families.js';
import { type FamilyFits, fitFamilies, injectedOf } from './familyFits.js';
import { featureTable, type MeasuredCandidate } from './featureTable.js';
import { imageProbabilities } from './imageProbabilities.js';
import { PRIORS, type Priors } from './priors.js';
import { NO_CORRECTION, type VerdictCorrection } from './statistics/plattScaling.js';
import type { GroupedRow, PositiveUnlabelledFit } from './statistics/positiveUnlabelled.js';
import type { SliceShifts } from './statistics/sliceRecalibration.js';

export interface JudgedCandidate {
  candidate: Candidate;
  /**
   * Probability of a separate error, which no other candidate of the image explains. It decides whether the candidate
   * is reported.
   */
  pOwnError: number;
  /** Probability that the label is wrong there, whatever explains it. */
  pWrong: number;
  /** The same before reviewers' verdicts moved it. */
  pModel: number;
  /** Its measurements as its family's regression sees them. */
  measured: Pick<MeasuredCandidate, 'family' | 'group' | 'row'>;
}

/** An image with the candidates that may be judged, and the probabilities that each and the image are wrong. */
export interface JudgedImage {
  entry: ReduceEntry;
  analysis: ImageAnalysis;
  candidates: JudgedCandidate[];
  pMislabelled: number;
  /** Its tag values. */
  slices: readonly string[];
  /** Its measurements as the regression over images sees them. */
  measured: GroupedRow;
}

export interface Calibration {
  judged: JudgedImage[];
  families: FamilyFits;
  images: PositiveUnlabelledFit;
  /** The reduction of log odds where the model is weak: of candidates by group, and of images. */
  shifts: { candidates: CandidateShifts; images: SliceShifts };
  injectedCandidates: number;
  candidates: number;
  injectedImages: number;
}

/**
 * From measurements to probabilities, for the whole scan, in five stages: a regression per family of kinds; a
 * recalibration in slices where the model is weak; explaining away between candidates; reviewers' verdicts; and a
 * regression over images. The regressions are fitted on injected errors against the labels as they are (see
 * `fitPositiveUnlabelled`).
 */
export function calibrate(
  entries: readonly ReduceEntry[],
  taxonomy: Taxonomy,
  classes: readonly ClassKnowledge[],
  config: ScanConfig,
  classIou: Record<string, ClassIouByName> | null,
  correction: VerdictCorrection = NO_CORRECTION,
  priors: Priors = PRIORS,
): Calibration {
  const images = featureTable(entries, taxonomy, classes, config, classIou);
  const families = fitFamilies(images, priors.families);
  const known = { families, shifts: learnCandidateShifts(images, families), correction };
  const judge = (items: readonly MeasuredCandidate[], slices: readonly string[]) =>
    candidateProbabilities(items, slices, known);
  const found = images.map(({ candidates, slices }) => judge(candidates, slices));
  const { detector, probabilities, rows, shifts, injected } = imageProbabilities(images, found, judge, priors.image);
  return {
    families,
    images: detector,
    shifts: { candidates: known.shifts, images: shifts },
    injectedCandidates: FAMILY_NAMES.reduce((sum, family) => sum + injectedOf(images, family).length, 0),
    candidates: images.reduce((sum, { candidates }) => sum + candidates.length, 0),
    injectedImages: injected,
    judged: images.map(({ entry, analysis, slices, candidates }, index) => ({
      entry,
      analysis,
      slices,
      candidates: candidates.map(({ candidate, family, group, row }, at) => ({
        candidate,
        pOwnError: found[index]?.pOwnError[at] as number,
        pWrong: found[index]?.pWrong[at] as number,
        pModel: found[index]?.pModel[at] as number,
        measured: { family, group, row },
      })),
      pMislabelled: probabilities[index] as number,
      measured: rows[index] as GroupedRow,
    })),
  };
}
