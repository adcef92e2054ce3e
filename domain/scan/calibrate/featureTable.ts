import type { ScanConfig } from '../../config.js';
import type { FindingKind } from '../../tables.js';
import { BACKGROUND, type Taxonomy } from '../../taxonomy.js';
import type {
  Candidate,
  ClassIouByName,
  ImageAnalysis,
  ImageStatistics,
  InjectedCandidate,
  ReduceEntry,
} from '../types.js';
import { type ClassKnowledge, judgedClasses } from './chunk/classes.js';
import { learnPlausibility } from './chunk/cooccurrence.js';
import { learnExpectedAgreement } from './chunk/expectedAgreement.js';
import type { ComparedCandidate } from './explainAway.js';
import { type Family, familyOf, groupOf, teaches } from './families.js';
import { familyRow } from './features.js';
import type { GroupedRow } from './statistics/positiveUnlabelled.js';
import { tagSlices } from './statistics/sliceRecalibration.js';
import { UNKNOWN_CLASS } from './thresholds.js';

/** A candidate on its way into a regression; of one in a copy only what tells how candidates explain each other. */
export interface MeasuredCandidate extends GroupedRow {
  row: readonly number[];
  candidate: ComparedCandidate;
  family: Family;
}

interface Copy {
  kind: FindingKind;
  statistics: ImageStatistics;
  /** `teaches`: it lies on an injected error and is an example of its own kind. */
  candidates: (MeasuredCandidate & { teaches: boolean })[];
}

export interface MeasuredImage {
  entry: ReduceEntry;
  analysis: ImageAnalysis;
  /** Usual agreement of label and prediction in such pictures. */
  expected: number;
  /** Its tag values. */
  slices: string[];
  candidates: (MeasuredCandidate & { candidate: Candidate })[];
  copies: Copy[];
}

/** The candidates that the models may judge, as rows. */
export function featureTable(
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
    const measure = (candidate: InjectedCandidate['candidate']): Omit<MeasuredCandidate, 'candidate'> => {
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
        threshold: classes[suggestedClassId ?? 0]?.threshold ?? UNKNOWN_CLASS.threshold,
        iou: known?.iou ?? UNKNOWN_CLASS.iou,
        givenFit: fit(classId, suggestedClassId ?? BACKGROUND),
        suggestedFit: fit(suggestedClassId ?? BACKGROUND, classId),
        relativeSize: known?.typicalArea == null ? 0 : Math.log(candidate.area / (known.typicalArea * pixels)),
      };
      return {
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
        candidates: analysis.candidates.filter(usable).map((candidate) => ({ candidate, ...measure(candidate) })),
        copies: analysis.injected.map(({ kind, whole, statistics, candidates }) => ({
          kind,
          statistics,
          candidates: candidates
            .filter(({ candidate }) => usable(candidate))
            .map(({ candidate, wrong }) => ({
              candidate: compared(candidate),
              ...measure(candidate),
              teaches: wrong && teaches(candidate, { kind, whole }),
            })),
        })),
      },
    ];
  });
}

/** A chunk has ten times as many candidates in copies as in labels, so the rest of them is let go. */
function compared({ kind, classId, suggestedClassId, box, features }: ComparedCandidate): ComparedCandidate {
  const { coverage, disagreement } = features;
  return { kind, classId, suggestedClassId, box, features: { coverage, disagreement } };
}
