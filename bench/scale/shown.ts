import { isOptional, STEPS } from '../../domain/steps.js';
import { type Cell, fixed, markdownTable } from '../results.js';
import { claimsOf, type ScaleFigures } from './figures.js';
import type { IterationCost } from './measure/iterations.js';

/** All tables of a run of the bench, as markdown. */
export function figuresText(figures: ScaleFigures): string {
  const { costs, runs, store, processes } = figures;
  const claims = claimsOf(figures).map(({ claim, figure, wanted, holds }) => ({
    ...{ claim, figure, wanted },
    '': holds ? '' : '**short**',
  }));
  const types = [...new Set(runs.map(({ type }) => type))].map((type) => {
    const own = runs.filter((run) => run.type === type);
    const most = (of: (run: (typeof own)[number]) => number): number => Math.max(...own.map(of));
    return {
      ...{ workflow: type, runs: own.length, 'most events': most(({ events }) => events) },
      'most bytes': most(({ bytes }) => bytes),
      'largest payload': most(({ largestPayload }) => largestPayload),
    };
  });
  const sizes = store.map(({ prefix, objects, bytes }) => ({ prefix, objects, MB: fixed(bytes / 1e6, 1) }));
  const peaks = Object.entries(processes).map(([process, use]) => ({
    process,
    'peak MB': fixed(use.peakMegabytes, 0),
    'core s': fixed(use.coreSeconds, 0),
  }));
  return ['', claims, costs.map(costRow), types, sizes, peaks]
    .map((part) => (typeof part === 'string' ? part : markdownTable(part)))
    .join('\n\n');
}

function costRow({
  iteration,
  drawn,
  trainingSet,
  steps,
  scan,
  seconds,
  coreSeconds,
}: IterationCost): Record<string, Cell> {
  const parts = Object.entries(scan).map(([part, took]) => [`scan: ${part}`, fixed(took, 1)] as const);
  const shown = STEPS.filter((step) => !isOptional(step)).flatMap((step) => [
    [step, fixed(steps[step], 1)] as const,
    ...(step === 'scan' ? parts : []),
  ]);
  const whole = { whole: fixed(seconds, 1), 'core s': fixed(coreSeconds, 1) };
  return { iteration, drawn, 'training set': trainingSet, ...Object.fromEntries(shown), ...whole };
}
