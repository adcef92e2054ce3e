import type { ScanConfig } from '../config.js';
import type { FindingKind } from '../tables.js';
import { BACKGROUND, type Taxonomy } from '../taxonomy.js';
import { type ClassKnowledge, judgedClasses } from './classes.js';
import { learnPlausibility } from './cooccurrence.js';
import {
  companyOf,
  FAMILY_NAMES,
  type Family,
  familyOf,
  familyPrior,
  familyRow,
  groupOf,
  IMAGE_PRIOR,
  imageRow,
  inCompany,
  isWhole,
  SOCIABLE,
  teaches,
} from './evidence.js';
import { learnExpectedAgreement } from './expectedAgreement.js';
import { explainAway } from './explain.js';
import { fitMixture, type GroupedRow, type Mixture, probabilityWrong } from './mixture.js';
import { learnPardon, pardoned, type Sliced, type SliceShifts, tagSlices } from './slices.js';
import type { Candidate, ClassIouByName, ImageAnalysis, ImageStatistics, ReduceEntry } from './types.js';
import { correctByVerdicts, NO_CORRECTION, type VerdictCorrection } from './verdictCorrection.js';

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
/** Fits of a family in which each candidate is told how suspect the others are. */
const COMPANY_ROUNDS = 2;
/** Candidates that the injected share of company is worth beside the one that is found. */
const COMPANY_STRENGTH = 1;

/** An image with the candidates that may be judged and how probable each is wrong. */
export interface JudgedImage {
  entry: ReduceEntry;
  analysis: ImageAnalysis;
  /** `model` is the probability before reviewers' verdicts moved it. */
  candidates: { candidate: Candidate; probability: number; model: number }[];
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

/** A candidate on its way into a regression. */
interface Measured extends GroupedRow {
  row: readonly number[];
  candidate: Candidate;
  family: Family;
}
interface Copy {
  kind: FindingKind;
  statistics: ImageStatistics;
  /** `teaches`: lies on an injected error and is an example of its own kind. */
  candidates: (Measured & { teaches: boolean })[];
}
interface MeasuredImage {
  entry: ReduceEntry;
  analysis: ImageAnalysis;
  /** Agreement of label and prediction that is usual for such pictures. */
  expected: number;
  /** Its tag values. */
  slices: string[];
  candidates: Measured[];
  copies: Copy[];
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
    let mixture = fit(family, (image) => sound[image] as number);
    for (let round = 0; family === 'missing' && round < COMPANY_ROUNDS; round++) {
      for (const { candidates, copies } of images) {
        accompany(candidates, family, mixture);
        for (const copy of copies) accompany(copy.candidates, family, mixture);
      }
      weighByCompany(images, family, mixture);
      mixture = fit(family, (image) => sound[image] as number);
    }
    fitted.set(family, mixture);
    images.forEach(({ candidates }, image) => {
      for (const item of candidates)
        if (item.family === family && isWhole(item.candidate))
          sound[image] = (sound[image] as number) * (1 - probabilityWrong(mixture, item));
    });
  }
  const families = Object.fromEntries(fitted) as Record<Family, Mixture>;
  const shifts = pardonOf(images, families);
  const scored = (items: readonly Measured[], slices: readonly string[]): number[] =>
    explainAway(
      items.map(({ candidate }) => candidate),
      items.map((item) =>
        pardoned(
          probabilityWrong(families[item.family], item),
          slicesOf(item, slices),
          shifts.get(item.group) ?? NO_SHIFTS,
        ),
      ),
    );
  const answered = (items: readonly Measured[], model: readonly number[]): number[] =>
    model.map((probability, at) => correctByVerdicts(correction, items[at]?.candidate.kind ?? '', probability));
  const unanswered = images.map(({ candidates, slices }) => scored(candidates, slices));
  const probabilities = images.map(({ candidates }, index) => answered(candidates, unanswered[index] as number[]));
  const rows = images.map(({ analysis, expected }, index) =>
    asImage(analysis.statistics, expected, probabilities[index] as number[]),
  );
  const weights = copyWeights(images, probabilities);
  const spoiled = images.flatMap(({ copies, expected, slices }) =>
    copies.map(({ kind, statistics, candidates }) => ({
      ...asImage(statistics, expected, answered(candidates, scored(candidates, slices))),
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
        model: unanswered[index]?.[at] as number,
      })),
      probability: pardoned(judgedAs[index]?.probability ?? 0, judgedAs[index]?.slices ?? [], imageShifts),
    })),
  };
}

/** Tells each candidate of a family how probably any other one in the same label is wrong. */
function accompany(items: readonly Measured[], family: Family, mixture: Mixture): void {
  const own = items.filter((item) => item.family === family && SOCIABLE.has(item.candidate.kind));
  const right = own.map((item) => 1 - probabilityWrong(mixture, item));
  own.forEach((item, at) => {
    const others = right.reduce((product, chance, index) => (index === at ? product : product * chance), 1);
    item.row = inCompany(item.row, 1 - others);
  });
}

/**
 * Weighs injected candidates so that as many of them are in company as of those that the scan finds wrong: whether mistakes come
 * alone or several in a label is a matter of who labelled.
 */
function weighByCompany(images: readonly MeasuredImage[], family: Family, mixture: Mixture): void {
  const sociable = ({ family: own, candidate }: Measured): boolean => own === family && SOCIABLE.has(candidate.kind);
  const injected = images.flatMap(({ copies }) =>
    copies.flatMap(({ candidates }) => candidates.filter((item) => item.teaches && sociable(item))),
  );
  const usual = injected.reduce((sum, { row }) => sum + companyOf(row), 0) / Math.max(1, injected.length);
  let [wrong, together] = [COMPANY_STRENGTH, COMPANY_STRENGTH * usual];
  for (const item of images.flatMap(({ candidates }) => candidates.filter(sociable))) {
    const probability = probabilityWrong(mixture, item);
    wrong += probability;
    together += probability * companyOf(item.row);
  }
  const found = together / wrong;
  for (const item of injected) {
    const company = companyOf(item.row);
    item.weight = (company * found) / Math.max(1e-3, usual) + ((1 - company) * (1 - found)) / Math.max(1e-3, 1 - usual);
  }
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

/** Candidates that the models may judge, as rows. */
function measured(
  entries: readonly ReduceEntry[],
  taxonomy: Taxonomy,
  classes: readonly ClassKnowledge[],
  config: ScanConfig,
  classIou: Record<string, ClassIouByName> | null,
): MeasuredImage[] {
  const allowed = new Map<string, boolean[]>();
  const mayJudge = (model: string): boolean[] => {
    const known = allowed.get(model);
    if (known !== undefined) return known;
    const made = judgedClasses(taxonomy, classes, classIou?.[model] ?? null, config.minClassIou);
    allowed.set(model, made);
    return made;
  };
  const plausibility = learnPlausibility(entries, taxonomy.classes.length);
  const expectedOf = learnExpectedAgreement(entries);
  return entries.flatMap((entry): MeasuredImage[] => {
    const { analysis } = entry;
    if (analysis === null) return [];
    const judges = mayJudge(entry.model);
    const expected = expectedOf(entry);
    const pixels = analysis.width * analysis.height;
    const usable = (candidate: Pick<Candidate, 'rule' | 'classId' | 'suggestedClassId'>): boolean =>
      candidate.rule || (judges[candidate.classId] === true && judges[candidate.suggestedClassId ?? 0] === true);
    const measure = (candidate: Candidate): Measured => {
      const known =
        classes[
          candidate.suggestedClassId === null || candidate.suggestedClassId === 0
            ? candidate.classId
            : candidate.suggestedClassId
        ];
      const { classId, suggestedClassId } = candidate;
      const fit = (value: number, other: number): number =>
        value === BACKGROUND ? 0 : plausibility(value, analysis.predictedClasses, other);
      const claimed = {
        threshold: classes[suggestedClassId ?? 0]?.threshold ?? 0.5,
        iou: known?.iou ?? 0.5,
        givenFit: fit(classId, suggestedClassId ?? BACKGROUND),
        suggestedFit: fit(suggestedClassId ?? BACKGROUND, classId),
        relativeSize: known?.typicalArea == null ? 0 : Math.log(candidate.area / (known.typicalArea * pixels)),
      };
      return {
        candidate,
        family: familyOf(candidate),
        group: groupOf(candidate),
        row: familyRow(candidate, claimed, pixels),
      };
    };
    return [
      {
        entry,
        analysis,
        expected,
        slices: tagSlices(entry),
        candidates: analysis.candidates.filter(usable).map(measure),
        copies: analysis.injected.map(({ kind, whole, statistics, candidates }) => ({
          kind,
          statistics,
          candidates: candidates
            .filter(({ candidate }) => usable(candidate))
            .map(({ candidate, wrong }) => ({
              ...measure({ ...candidate, counts: [], proposal: null }),
              teaches: wrong && teaches(candidate, { kind, whole }),
            })),
        })),
      },
    ];
  });
}

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
