import { seededRandom, shuffle } from '../../domain/base/random.js';
import { CONFIDENCE } from '../../domain/review/confidence.js';
import { passedStrata } from '../../domain/review/propagate/bound.js';
import { claimOf, drawStrata } from '../../domain/review/propagate/round.js';
import { learnScore, type Scored } from '../../domain/review/propagate/score.js';
import type { TruthRow } from './rows.js';

export interface Setting {
  /** Drawn findings that are answered, truthfully. */
  answers: number;
  /** Answers given before the draw, to findings at random: they teach the score. */
  taught: number;
  alpha: number;
  /** Least probability of the proposals. */
  from: number;
}

/** The outcome of one draw. */
export interface Outcome {
  applied: number;
  /** Share of harmful ones among the applied; 0 if nothing was applied. */
  harmful: number;
  /** Share of the wrong area of all findings that automatic corrections repair. */
  repaired: number;
  /** The same with the proposals that reviewers accepted. */
  repairedWithAnswers: number;
}

/** Draw, answer by the truth, and correct what follows, as `partloop review propagate` does in a first round. */
export function resample(rows: readonly TruthRow[], setting: Setting, seed: number): Outcome {
  const order = shuffle(rows, seededRandom('propagate-taught', seed));
  const taught = order.slice(0, setting.taught);
  const known = new Set(taught.map(({ finding }) => finding));
  const open = rows.filter(({ finding, pModel }) => pModel >= setting.from && !known.has(finding));
  const byId = new Map(rows.map((row) => [row.finding, row]));
  const score = learnScore(
    taught.map((row) => ({ ...scored(row), accepted: !row.harmful })),
    open.map(scored),
  );
  const ranked = open.map((row) => ({ findingId: row.finding, score: score(scored(row)) }));
  const strata = drawStrata(ranked, setting.answers, `${seed}`);
  const claim = claimOf({ number: 1, alpha: setting.alpha, confidence: CONFIDENCE });
  const drawn = strata.flatMap((stratum) => byId.get(stratum.drawn) ?? []);
  const passed = passedStrata(
    { sizes: strata.map(({ proposals }) => proposals.length), harmful: drawn.map(({ harmful }) => harmful) },
    claim,
  );
  const applied = strata
    .slice(0, passed)
    .flatMap((stratum) => stratum.proposals.filter(({ findingId }) => findingId !== stratum.drawn))
    .flatMap(({ findingId }) => byId.get(findingId) ?? []);
  const harmful = applied.filter((row) => row.harmful).length;
  const all = area(rows);
  return {
    applied: applied.length,
    harmful: applied.length === 0 ? 0 : harmful / applied.length,
    repaired: area(applied) / all,
    repairedWithAnswers: area([...applied, ...drawn, ...taught]) / all,
  };
}

const scored = ({ kind, classPair: [classId, suggestedClassId], pModel, evidence }: TruthRow): Scored => ({
  ...{ kind, classId, suggestedClassId, pModel, evidence },
});

const area = (rows: readonly TruthRow[]): number =>
  rows.reduce((sum, row) => sum + (row.harmful ? 0 : row.wrongArea), 0);
