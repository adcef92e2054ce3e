import type { ScanConfig } from '../../config.js';
import type { FindingKind } from '../../tables.js';
import { BACKGROUND, type Taxonomy } from '../../taxonomy.js';
import type { Candidate, ClassIouByName, ImageAnalysis, ImageStatistics, ReduceEntry } from '../types.js';
import type { ClassKnowledge } from './classes.js';
import { explainAway } from './explainAway.js';
import { FAMILY_NAMES, type Family, familyPrior, IMAGE_PRIOR, imageRow, isWhole } from './features.js';
import { type Measured, type MeasuredImage, measured } from './featureTable.js';
import { correctByVerdicts, NO_CORRECTION, type VerdictCorrection } from './plattScaling.js';
import { fitMixture, type GroupedRow, type Mixture, probabilityWrong } from './positiveUnlabelled.js';
import { learnPardon, pardoned, type Sliced, type SliceShifts } from './sliceRecalibration.js';
import { COMPANY_FAMILY, fitInCompany } from './withinLabel.js';

/** Wrong candidates of a group expected for each image before looking, and how many candidates that is worth. */
const CANDIDATES = { anImage: 0.03, strength: 3 };
/**
 * The same of images. People who corrected real car photos found 27 % wrong, published test sets hold a few percent: a
 * guess between, which all but the smallest chunks overrule.
 */
const IMAGES = { anImage: 0.15, strength: 10 };
/**
 * Pull of the candidates' regressions towards their priors: what separates perfectly may be trusted far, but not where there is
 * only a handful of candidates, which any measurement may tell from the injected ones by chance.
 */
const RIDGE = { least: 0.05, byRows: 12 };
/** Standard errors by which a slice may be more suspect than others: single candidates crowd by chance more than images do. */
const SLACK = { candidates: 3, images: 1 };
const IMAGE_GROUP = 'image';

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
  families: Record<Family, Mixture>;
  images: Mixture;
  injectedCandidates: number;
  candidates: number;
  injectedImages: number;
}

/**
 * From measurements to probabilities, for the whole scan: one regression a family of kinds over candidates, then one over
 * images, each fitted on injected errors against the labels as they are (see `fitMixture`).
 */
export function calibrate(
  entries: readonly ReduceEntry[],
  taxonomy: Taxonomy,
  classes: readonly ClassKnowledge[],
  config: ScanConfig,
  classIou: Record<string, ClassIouByName> | null,
  correction: VerdictCorrection = NO_CORRECTION,
): Calibration {
  const images = measured(entries, taxonomy, classes, config, classIou);
  const wrongOf = (family: Family): GroupedRow[] =>
    images.flatMap(({ copies }) =>
      copies.flatMap(({ candidates }) => candidates.filter((item) => item.teaches && item.family === family)),
    );
  const fit = (family: Family, believed: (image: number) => number): Mixture => {
    const unknown = images.flatMap(({ candidates }, image) =>
      candidates.filter((item) => item.family === family).map((item) => ({ ...item, weight: believed(image) })),
    );
    return fitMixture(wrongOf(family), unknown, {
      prior: familyPrior(family),
      ridge: RIDGE.least + RIDGE.byRows / Math.max(1, unknown.length),
      expected: CANDIDATES.anImage * images.length,
      strength: CANDIDATES.strength,
    });
  };
  const fitted = new Map<Family, Mixture>();
  // A label that is wrong as a whole has a candidate at every part; none of them is an example of anything.
  const sound = images.map(() => 1);
  for (const family of FAMILY_NAMES) {
    const fitFamily = (): Mixture => fit(family, (image) => sound[image] as number);
    const mixture = family === COMPANY_FAMILY ? fitInCompany(images, fitFamily) : fitFamily();
    fitted.set(family, mixture);
    images.forEach(({ candidates }, image) => {
      for (const item of candidates)
        if (item.family === family && isWhole(item.candidate))
          sound[image] = (sound[image] as number) * (1 - probabilityWrong(mixture, item));
    });
  }
  const families = Object.fromEntries(fitted) as Record<Family, Mixture>;
  const shifts = pardonOf(images, families);
  const alone = (items: readonly Measured[], slices: readonly string[]): number[] =>
    items.map((item) =>
      pardoned(
        probabilityWrong(families[item.family], item),
        slicesOf(item, slices),
        shifts.get(item.group) ?? NO_SHIFTS,
      ),
    );
  const explained = (items: readonly Measured[], given: readonly number[]): number[] =>
    explainAway(
      items.map(({ candidate }) => candidate),
      given,
    );
  const answered = (items: readonly Measured[], model: readonly number[]): number[] =>
    model.map((probability, at) => correctByVerdicts(correction, items[at]?.candidate.kind ?? '', probability));
  const given = images.map(({ candidates, slices }) => alone(candidates, slices));
  const unanswered = images.map(({ candidates }, index) => explained(candidates, given[index] as number[]));
  const probabilities = images.map(({ candidates }, index) => answered(candidates, unanswered[index] as number[]));
  // A rule that says the same lifts a candidate above what it is alone.
  const models = given.map((own, index) =>
    own.map((probability, at) => Math.max(probability, unanswered[index]?.[at] as number)),
  );
  const wrongs = images.map(({ candidates }, index) => answered(candidates, models[index] as number[]));
  const rows = images.map(({ analysis, expected }, index) =>
    asImage(analysis.statistics, expected, probabilities[index] as number[]),
  );
  const weights = copyWeights(images, probabilities);
  const spoiled = images.flatMap(({ copies, expected, slices }) =>
    copies.map(({ kind, statistics, candidates }) => ({
      ...asImage(statistics, expected, answered(candidates, explained(candidates, alone(candidates, slices)))),
      weight: weights[kind] ?? 1,
    })),
  );
  const whole = fitMixture(spoiled, rows, {
    prior: IMAGE_PRIOR,
    ridge: 1,
    expected: IMAGES.anImage * images.length,
    strength: IMAGES.strength,
  });
  const judgedAs = images.map(({ slices }, index) => ({
    slices,
    probability: probabilityWrong(whole, rows[index] as GroupedRow),
  }));
  const imageShifts = learnPardon(judgedAs, countSlices(images.map(({ slices }) => slices)), SLACK.images);
  return {
    families,
    images: whole,
    injectedCandidates: FAMILY_NAMES.reduce((sum, family) => sum + wrongOf(family).length, 0),
    candidates: images.reduce((sum, { candidates }) => sum + candidates.length, 0),
    injectedImages: spoiled.length,
    judged: images.map(({ entry, analysis, candidates }, index) => ({
      entry,
      analysis,
      candidates: candidates.map(({ candidate }, at) => ({
        candidate,
        probability: probabilities[index]?.[at] as number,
        pWrong: wrongs[index]?.[at] as number,
        pModel: models[index]?.[at] as number,
      })),
      probability: pardoned(judgedAs[index]?.probability ?? 0, judgedAs[index]?.slices ?? [], imageShifts),
    })),
  };
}

const NO_SHIFTS: SliceShifts = new Map();

/** Slices of a candidate: its image's tags, the class that is labelled and the one that is suggested. */
function slicesOf({ candidate }: Measured, tags: readonly string[]): string[] {
  const { classId, suggestedClassId } = candidate;
  return [
    ...tags,
    ...(classId === BACKGROUND ? [] : [`labelled=${classId}`]),
    ...(suggestedClassId === null || suggestedClassId === BACKGROUND ? [] : [`suggested=${suggestedClassId}`]),
  ];
}

/** By group of candidates: what slices take from the log odds in which the model is weak. */
function pardonOf(images: readonly MeasuredImage[], families: Record<Family, Mixture>): Map<string, SliceShifts> {
  const chances = countSlices(
    images.map(({ slices, analysis }) => [
      ...slices,
      ...analysis.labelledClasses.map((value) => `labelled=${value}`),
      ...analysis.predictedClasses.map((value) => `suggested=${value}`),
    ]),
  );
  const byGroup = new Map<string, Sliced[]>();
  for (const { candidates, slices } of images) {
    const explained = explainAway(
      candidates.map(({ candidate }) => candidate),
      candidates.map((item) => probabilityWrong(families[item.family], item)),
    );
    for (const [at, item] of candidates.entries()) {
      const sliced = { slices: slicesOf(item, slices), probability: explained[at] as number };
      const own = byGroup.get(item.group);
      if (own === undefined) byGroup.set(item.group, [sliced]);
      else own.push(sliced);
    }
  }
  return new Map([...byGroup].map(([group, items]) => [group, learnPardon(items, chances, SLACK.candidates)]));
}

function countSlices(lists: readonly (readonly string[])[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const list of lists) for (const slice of list) counts.set(slice, (counts.get(slice) ?? 0) + 1);
  return counts;
}

const asImage = (statistics: ImageStatistics, expected: number, probabilities: readonly number[]): GroupedRow => ({
  group: IMAGE_GROUP,
  row: imageRow(statistics, expected, probabilities),
});

/**
 * How much a spoiled copy of each kind weighs so that kinds are as frequent among the copies as the scan finds them among its
 * images, with a copy's worth of doubt for each kind.
 */
function copyWeights(
  images: readonly MeasuredImage[],
  probabilities: readonly (readonly number[])[],
): Partial<Record<FindingKind, number>> {
  const found = new Map<FindingKind, number>();
  const copies = new Map<FindingKind, number>();
  images.forEach(({ candidates, copies: own }, index) => {
    const best = new Map<FindingKind, number>();
    candidates.forEach(({ candidate }, at) => {
      const probability = probabilities[index]?.[at] ?? 0;
      best.set(candidate.kind, Math.max(best.get(candidate.kind) ?? 0, probability));
    });
    for (const [kind, probability] of best) found.set(kind, (found.get(kind) ?? 0) + probability);
    for (const { kind } of own) copies.set(kind, (copies.get(kind) ?? 0) + 1);
  });
  return Object.fromEntries([...copies].map(([kind, count]) => [kind, ((found.get(kind) ?? 0) + 1) / count]));
}
