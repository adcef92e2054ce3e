import { fitLogistic, logit, logOdds, sigmoid } from '../../scan/calibrate/statistics/logistic.js';
import type { FindingRow } from '../../tables.js';

/** A proposed correction as far as its score depends on it. */
export interface Scored extends Pick<FindingRow, 'kind' | 'classId' | 'suggestedClassId' | 'pModel'> {
  /** Measurements of `evidence`, by name; empty if they are unknown. */
  evidence: Readonly<Record<string, number>>;
}

/** A proposal with a reviewer's answer. */
export interface Taught extends Scored {
  accepted: boolean;
}

/** Measurements that say whether the proposed mask fits. */
const EVIDENCE = ['confidence', 'disagreement', 'coverage', 'gain'] as const;

/** Precision of the prior around the scan's own probability: one answer alone moves a kind little. Convention. */
const RIDGE = 1;

/** Probabilities beyond this count as this. Convention. */
const BOUND = 1e-3;

/**
 * The chance that a reviewer would accept a proposal: a regression on earlier answers over the scan's probability, the
 * kind, the pair of classes and the evidence. Without answers it is the scan's probability. It only orders proposals:
 * the bound holds for any order that is fixed before the draw.
 */
export function learnScore(answers: readonly Taught[], proposals: readonly Scored[]): (proposal: Scored) => number {
  if (answers.length === 0) return ({ pModel }) => pModel;
  const kinds = [...new Set(answers.map(({ kind }) => kind))].sort();
  const pairs = [...new Set(answers.map(pairOf))].sort();
  const scales = EVIDENCE.map((name) => scaleOf(proposals.flatMap(({ evidence }) => evidence[name] ?? [])));
  const features = (one: Scored): number[] => [
    1,
    logOdds(one.pModel, BOUND),
    ...kinds.map((kind) => Number(kind === one.kind)),
    ...pairs.map((pair) => Number(pair === pairOf(one))),
    ...EVIDENCE.map((name, at) => scaled(one.evidence[name], scales[at] as Scale)),
  ];
  const prior = [0, 1, ...kinds.map(() => 0), ...pairs.map(() => 0), ...EVIDENCE.map(() => 0)];
  const coefficients = fitLogistic(
    answers.map(features),
    answers.map(({ accepted }) => Number(accepted)),
    answers.map(() => 1),
    prior,
    RIDGE,
  );
  return (proposal) => sigmoid(logit(coefficients, features(proposal)));
}

/** Kind and classes of a proposal, as one name. */
export const pairOf = ({ kind, classId, suggestedClassId }: Omit<Scored, 'evidence' | 'pModel'>): string =>
  `${kind} ${classId} ${suggestedClassId ?? '-'}`;

interface Scale {
  mean: number;
  deviation: number;
}

function scaleOf(values: readonly number[]): Scale {
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length);
  return { mean, deviation: Math.sqrt(square) };
}

const scaled = (value: number | undefined, { mean, deviation }: Scale): number =>
  value === undefined || deviation === 0 ? 0 : (value - mean) / deviation;
