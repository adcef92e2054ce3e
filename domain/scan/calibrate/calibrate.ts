import type { ScanConfig } from '../../config.js';
import type { Taxonomy } from '../../taxonomy.js';
import type { Candidate, ClassIouByName, ImageAnalysis, ReduceEntry } from '../types.js';
import { candidateProbabilities } from './candidateProbabilities.js';
import { learnCandidateShifts } from './candidateSlices.js';
import type { ClassKnowledge } from './classes.js';
import { type FamilyFits, fitFamilies, injectedOf } from './familyFits.js';
import { FAMILY_NAMES } from './features.js';
import { featureTable, type MeasuredCandidate } from './featureTable.js';
import { imageProbabilities } from './imageProbabilities.js';
import { NO_CORRECTION, type VerdictCorrection } from './plattScaling.js';
import type { Mixture } from './positiveUnlabelled.js';

export interface JudgedCandidate {
  candidate: Candidate;
  /** That it is an error of its own, which no other candidate of the image explains: what decides on reporting it. */
  probability: number;
  /** That the label is wrong there, whatever explains it. */
  pWrong: number;
  /** The same before reviewers' verdicts moved it. */
  pModel: number;
}

/** An image with the candidates that may be judged and how probable each is wrong. */
export interface JudgedImage {
  entry: ReduceEntry;
  analysis: ImageAnalysis;
  candidates: JudgedCandidate[];
  probability: number;
}

export interface Calibration {
  judged: JudgedImage[];
  families: FamilyFits;
  images: Mixture;
  injectedCandidates: number;
  candidates: number;
  injectedImages: number;
}

/**
 * From measurements to probabilities, for the whole scan, in five stages: a regression per family of kinds; what slices take in
 * which the model is weak; candidates that others explain; reviewers' verdicts; and a regression over images. The regressions are
 * fitted on injected errors against the labels as they are (see `fitPositiveUnlabelled`).
 */
export function calibrate(
  entries: readonly ReduceEntry[],
  taxonomy: Taxonomy,
  classes: readonly ClassKnowledge[],
  config: ScanConfig,
  classIou: Record<string, ClassIouByName> | null,
  correction: VerdictCorrection = NO_CORRECTION,
): Calibration {
  const images = featureTable(entries, taxonomy, classes, config, classIou);
  const families = fitFamilies(images);
  const known = { families, shifts: learnCandidateShifts(images, families), correction };
  const judge = (items: readonly MeasuredCandidate[], slices: readonly string[]) =>
    candidateProbabilities(items, slices, known);
  const found = images.map(({ candidates, slices }) => judge(candidates, slices));
  const { mixture, probabilities, injected } = imageProbabilities(images, found, judge);
  return {
    families,
    images: mixture,
    injectedCandidates: FAMILY_NAMES.reduce((sum, family) => sum + injectedOf(images, family).length, 0),
    candidates: images.reduce((sum, { candidates }) => sum + candidates.length, 0),
    injectedImages: injected,
    judged: images.map(({ entry, analysis, candidates }, index) => ({
      entry,
      analysis,
      candidates: candidates.map(({ candidate }, at) => ({
        candidate,
        probability: found[index]?.ownError[at] as number,
        pWrong: found[index]?.wrong[at] as number,
        pModel: found[index]?.model[at] as number,
      })),
      probability: probabilities[index] as number,
    })),
  };
}
