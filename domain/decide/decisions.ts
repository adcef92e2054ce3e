import type { GateConfig } from '../config.js';
import { kindsText, type LeftOut } from '../images/leftOut.js';
import type { WorkOf } from '../stepContract.js';
import type { EvaluationRow } from '../tables.js';
import type { Taxonomy } from '../taxonomy.js';
import { bounds, comparePaired } from './bootstrap.js';
import type { Decision, RegisteredModel } from './decision.js';
import { countUnits, type GateVerdict } from './gate.js';
import { spentAlpha, wearOf } from './spending.js';
import type { decideStep } from './step.js';

/** The decision if no model is in production for the taxonomy: the candidate goes there, or waits for a person. */
export function firstDecision(judged: {
  candidate: RegisteredModel;
  testVersion: string;
  mode: GateConfig['mode'];
  miou: number | null;
  images: readonly EvaluationRow[];
  leftOut: readonly LeftOut[];
}): Decision {
  const { candidate, testVersion, mode, miou, images, leftOut } = judged;
  const waits = mode === 'approve';
  return {
    version: 1,
    gate: 'first',
    promoted: !waits,
    pendingApproval: waits,
    testVersion,
    candidate,
    benchmark: null,
    reasons: [
      `there is no benchmark for this taxonomy: the candidate ${waits ? 'becomes it if a person approves' : 'becomes it'}`,
      ...(leftOut.length === 0 ? [] : [`${leftOut.length} test images are left out: ${kindsText(leftOut)}`]),
    ],
    candidateMiou: Math.min(1, Math.max(0, miou ?? 0)),
    benchmarkMiou: null,
    gain: null,
    lower: null,
    upper: null,
    detectable: null,
    units: countUnits(images),
    images: images.length,
    leftOut: [...leftOut],
    look: null,
    alpha: null,
    slices: [],
    lostClasses: [],
    previousCandidate: null,
  };
}

/** The decision that follows from the gate's verdict on a candidate against the model in production. */
export function decisionAgainst(
  { outcome, ...rest }: GateVerdict,
  compared: {
    candidate: RegisteredModel;
    rival: RegisteredModel;
    testVersion: string;
    previousCandidate: Decision['previousCandidate'];
    gate: GateConfig;
  },
): Decision {
  const { candidate, rival, testVersion, previousCandidate, gate } = compared;
  return {
    version: 1,
    gate: outcome,
    promoted: outcome === 'promoted',
    pendingApproval: outcome === 'held' && gate.mode === 'approve' && rest.lower > gate.margin,
    testVersion,
    candidate,
    benchmark: rival,
    ...rest,
    previousCandidate,
  };
}

/** The candidate's gain over that of the iteration before, on the test images of both. */
export function gainOverPrevious(compared: {
  candidate: readonly EvaluationRow[];
  previous: readonly EvaluationRow[];
  taxonomy: Taxonomy;
  gate: GateConfig;
  look: number;
  seed: number;
}): NonNullable<Decision['previousCandidate']> {
  const { candidate, previous, taxonomy, gate, look, seed } = compared;
  const comparison = comparePaired({
    candidate,
    benchmark: previous,
    metric: 'region',
    labels: taxonomy.classes.map((_, index) => index + 1),
    resamples: gate.resamples,
    seed: [seed, 'previous candidate'],
  });
  return { gain: comparison.gain, ...bounds(comparison, spentAlpha(gate.alpha, look, gate.plannedLooks)) };
}

/** Images left out of at least one evaluation, each once; the second evaluation's reason wins. */
export const leftOutOfEither = (one: readonly LeftOut[], other: readonly LeftOut[]): LeftOut[] => [
  ...new Map([...one, ...other].map((image) => [image.imageId, image])).values(),
];

/** The facts of step decide about a decision under these settings. */
export const decisionFacts = (decision: Decision, gate: GateConfig): WorkOf<typeof decideStep>['facts'] => ({
  gate: decision.gate,
  gain: decision.gain,
  lower: decision.lower,
  upper: decision.upper,
  benchmarkMiou: decision.benchmarkMiou,
  promoted: decision.promoted,
  pendingApproval: decision.pendingApproval,
  images: decision.images,
  leftOut: decision.leftOut.length,
  looksUsed: decision.look,
  looksLeft: decision.look === null ? null : wearOf(decision.look, gate.plannedLooks).left,
});
