import type { ScanConfig } from '../config.js';
import type { Taxonomy } from '../taxonomy.js';
import { type ClassKnowledge, judgedClasses } from './classes.js';
import { candidateRow, FAMILY_NAMES, type Family, familyOf, familyPrior, IMAGE_PRIOR, imageRow } from './evidence.js';
import { fitMixture, type Mixture, probabilityWrong } from './mixture.js';
import type { Candidate, ClassIouByName, ImageAnalysis, ReduceEntry } from './types.js';

/**
 * Share of images expected to be wrong before looking, and how many images that expectation is worth. People who corrected
 * real car photos found 27 % wrong, published test sets hold a few percent: a guess between, which large chunks overrule.
 */
const EXPECTED = { expected: 0.2, strength: 30 };

/** An image with the candidates that may be judged and how probable each is wrong. */
export interface JudgedImage {
  entry: ReduceEntry;
  analysis: ImageAnalysis;
  candidates: { candidate: Candidate; probability: number }[];
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
): Calibration {
  const allowed = new Map<string, boolean[]>();
  const mayJudge = (model: string): boolean[] => {
    const known = allowed.get(model);
    if (known !== undefined) return known;
    const made = judgedClasses(taxonomy, classes, classIou?.[model] ?? null, config.minClassIou);
    allowed.set(model, made);
    return made;
  };
  const images = entries.flatMap((entry) => {
    if (entry.analysis === null) return [];
    const { analysis } = entry;
    const judges = mayJudge(entry.model);
    const pixels = analysis.width * analysis.height;
    const usable = (candidate: Pick<Candidate, 'rule' | 'classId' | 'suggestedClassId'>): boolean =>
      candidate.rule || (judges[candidate.classId] === true && judges[candidate.suggestedClassId ?? 0] === true);
    const row = (candidate: Pick<Candidate, 'kind' | 'area' | 'features' | 'suggestedClassId'>): number[] =>
      candidateRow(candidate, classes[candidate.suggestedClassId ?? 0]?.threshold ?? 0.5, pixels);
    return [
      {
        entry,
        analysis,
        candidates: analysis.candidates
          .filter(usable)
          .map((candidate) => ({ candidate, family: familyOf(candidate.kind), row: row(candidate) })),
        injected: analysis.injected.map(({ statistics, candidates }) => ({
          statistics,
          candidates: candidates
            .filter(({ candidate }) => usable(candidate))
            .map(({ candidate, wrong }) => ({ family: familyOf(candidate.kind), row: row(candidate), wrong })),
        })),
      },
    ];
  });
  const wrongOf = (family: Family): number[][] =>
    images.flatMap(({ injected }) =>
      injected.flatMap(({ candidates }) =>
        candidates.filter((item) => item.wrong && item.family === family).map((item) => item.row),
      ),
    );
  const unknownOf = (family: Family): number[][] =>
    images.flatMap(({ candidates }) => candidates.filter((item) => item.family === family).map((item) => item.row));
  const copies = images.reduce((sum, { injected }) => sum + injected.length, 0);
  const fit = (family: Family): Mixture => {
    const wrong = wrongOf(family);
    const rates = { images: images.length, perSpoiled: Math.max(0.05, wrong.length / Math.max(1, copies)) };
    return fitMixture(wrong, unknownOf(family), { prior: familyPrior(family), ridge: 1, ...rates, ...EXPECTED });
  };
  const families: Record<Family, Mixture> = { missing: fit('missing'), class: fit('class'), shape: fit('shape') };
  const scored = (items: readonly { family: Family; row: number[] }[]): number[] =>
    items.map(({ family, row }) => probabilityWrong(families[family], row));
  const rows = images.map(({ analysis, candidates }) => imageRow(analysis.statistics, scored(candidates)));
  const spoiled = images.flatMap(({ injected }) =>
    injected.map(({ statistics, candidates }) => imageRow(statistics, scored(candidates))),
  );
  const whole = fitMixture(spoiled, rows, {
    prior: IMAGE_PRIOR,
    ridge: 1,
    images: rows.length,
    perSpoiled: 1,
    ...EXPECTED,
  });
  return {
    families,
    images: whole,
    injectedCandidates: FAMILY_NAMES.reduce((sum, family) => sum + wrongOf(family).length, 0),
    candidates: images.reduce((sum, { candidates }) => sum + candidates.length, 0),
    injectedImages: spoiled.length,
    judged: images.map(({ entry, analysis, candidates }, index) => {
      const probabilities = scored(candidates);
      return {
        entry,
        analysis,
        candidates: candidates.map(({ candidate }, at) => ({ candidate, probability: probabilities[at] as number })),
        probability: probabilityWrong(whole, rows[index] as number[]),
      };
    }),
  };
}
