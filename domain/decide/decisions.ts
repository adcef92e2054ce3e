import type { GateConfig } from '../config.js';
import { kindsText, type LeftOut } from '../images/leftOut.js';
import type { EvaluationRow } from '../tables.js';
import type { Decision, RegisteredModel } from './decision.js';
import { countUnits, type GateVerdict } from './gate.js';

/** What is decided where no model is in production for the taxonomy: the candidate becomes it, or waits for a person. */
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
      `there was no benchmark for this taxonomy: the candidate ${waits ? 'waits for an approval to become' : 'becomes'} it`,
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

/** What the gate's verdict on a candidate against the model in production means. */
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
