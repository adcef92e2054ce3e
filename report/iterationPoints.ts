import { STEPS, type Step, type StepResults } from '../domain/steps.js';
import type { IterationPoint, StepCost } from './data.js';
import type { IterationSoFar } from './iterationSoFar.js';

/** The figures of one iteration on the curve. */
export function toPoint({ iteration, results }: IterationSoFar): IterationPoint {
  const { draw, scan, sample, train, evaluate, decide, control } = results;
  return {
    iteration,
    drawn: draw?.facts.drawn ?? null,
    quarantined: scan?.facts.quarantined ?? null,
    sampled: sample?.facts.sampled ?? null,
    trainingSet: sample?.facts.trainingSet ?? null,
    miou: evaluate?.facts.miou ?? null,
    majorMiou: evaluate?.facts.majorMiou ?? null,
    minorMiou: evaluate?.facts.minorMiou ?? null,
    boundaryIou: evaluate?.facts.boundaryIou ?? null,
    valMiou: train?.facts.valMiou ?? null,
    benchmarkMiou: decide?.facts.benchmarkMiou ?? null,
    controlMiou: control?.facts.miou ?? null,
    overRandom: control?.facts.gain ?? null,
    gate: decide?.facts.gate ?? null,
    seconds: Object.values(results).reduce((sum, result) => sum + result.seconds, 0),
  };
}

/** Time and work of each step, beside the time of the same step in the last iteration. */
export function stepCosts(results: StepResults, before: StepResults | null): StepCost[] {
  return STEPS.flatMap((step) => {
    const result = results[step];
    if (result === undefined) return [];
    const { seconds, outcome } = result;
    return { step, seconds, outcome, work: workOf(step, results), before: before?.[step]?.seconds ?? null };
  });
}

/** What a step goes through one by one, if it recorded how many. */
function workOf(step: Step, { draw, scan, train, evaluate }: StepResults): StepCost['work'] {
  const images = (count: number | undefined): StepCost['work'] =>
    count === undefined ? null : { count, unit: 'images' };
  switch (step) {
    case 'draw':
      return images(draw?.facts.drawn);
    case 'scan':
      return images(scan?.facts.scanned);
    case 'train': {
      const count = train?.facts.iterations;
      return count === undefined ? null : { count, unit: 'iterations' };
    }
    case 'evaluate':
      return images(evaluate?.facts.images);
    default:
      return null;
  }
}
