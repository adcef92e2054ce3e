import { latestVerdicts, type Verdict } from '../../../review/review.js';
import { PLATT } from '../thresholds.js';
import { fitLogistic, logit, logOdds, sigmoid } from './logistic.js';

/** A reviewer's answer about something to which a scan gave a probability. */
export interface Answer {
  kind: string;
  /** The scan's probability before any correction by verdicts. */
  pModel: number;
  wrong: boolean;
  /** The chance with which a reviewer was to see it: 1 if it is always shown. */
  chance: number;
}

/**
 * The correction of a scan's probabilities by reviewers' answers: log odds -> slope × log odds + shift + shift of the
 * kind.
 */
export interface VerdictCorrection {
  slope: number;
  shift: number;
  byKind: Record<string, number>;
  /** Number of answers on which it rests. */
  answers: number;
}

/** The last verdicts as answers; `unsure` is no answer. */
export function answersOf(verdicts: readonly Verdict[]): Answer[] {
  return [...latestVerdicts(verdicts).values()].flatMap(({ kind, pModel, verdict, propensity }) =>
    verdict === 'unsure' ? [] : [{ kind, pModel, wrong: verdict !== 'right', chance: propensity ?? 1 }],
  );
}

export const NO_CORRECTION: VerdictCorrection = { slope: 1, shift: 0, byKind: {}, answers: 0 };

/**
 * Platt scaling (Platt 1999) of the scan's log odds on reviewers' answers, with a shift for each kind, pulled towards
 * no correction. Answers weigh by the inverse of the chance of being asked (Horvitz and Thompson 1952), scaled so that
 * together they count as their effective number (Kish 1965).
 */
export function learnCorrection(answers: readonly Answer[]): VerdictCorrection {
  if (answers.length === 0) return NO_CORRECTION;
  const kinds = [...new Set(answers.map(({ kind }) => kind))].sort();
  const raw = answers.map(({ chance }) => Math.min(PLATT.mostWeight, 1 / Math.max(chance, 1 / PLATT.mostWeight)));
  const sum = raw.reduce((a, b) => a + b, 0);
  const squares = raw.reduce((a, b) => a + b * b, 0);
  const rows = answers.map(({ kind, pModel }) => [
    logOdds(pModel, PLATT.bound),
    1,
    ...kinds.map((one) => (one === kind ? 1 : 0)),
  ]);
  const [slope, shift, ...shifts] = fitLogistic(
    rows,
    answers.map(({ wrong }) => (wrong ? 1 : 0)),
    raw.map((weight) => (weight * sum) / squares),
    [1, 0, ...kinds.map(() => 0)],
    PLATT.ridge,
  ) as [number, number, ...number[]];
  return {
    // The order of suspicion must stay.
    slope: Math.max(0, slope),
    shift,
    byKind: Object.fromEntries(kinds.map((kind, index) => [kind, shifts[index] as number])),
    answers: answers.length,
  };
}

export function correctByVerdicts({ slope, shift, byKind }: VerdictCorrection, kind: string, pModel: number): number {
  if (slope === 1 && shift === 0 && Object.keys(byKind).length === 0) return pModel;
  return sigmoid(logit([slope, shift + (byKind[kind] ?? 0)], [logOdds(pModel, PLATT.bound), 1]));
}
