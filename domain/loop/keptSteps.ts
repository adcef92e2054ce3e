import { PartloopError } from '../base/errors.js';
import { own } from '../base/own.js';
import type { LoopConfig } from '../config.js';
import { STEPS, type Step, type StepResults } from '../steps.js';
import type { IterationAttempt } from './state.js';

/** The first step that a setting concerns, by the first word of its path. */
const FIRST_STEP = {
  pool: 'draw',
  chunkSize: 'draw',
  seed: 'draw',
  badImageShare: 'draw',
  baselineImages: 'scan',
  scan: 'scan',
  sample: 'sample',
  train: 'train',
  evaluationSize: 'evaluate',
  gate: 'decide',
  tune: 'tune',
} as const satisfies Record<Exclude<keyof LoopConfig, 'durability' | 'policy' | 'tracking'>, Step>;

/** Settings of machines, of times and of what is noted elsewhere, not of results. */
const NO_STEP: ReadonlySet<string> = new Set(['durability', 'policy', 'tracking']);

/** Folds of a scan are trained too, but with the settings of the time of the scan. */
function firstStepOf(setting: string): Step | null {
  if (NO_STEP.has(setting)) return null;
  const steps: Readonly<Record<string, Step>> = FIRST_STEP;
  return Object.hasOwn(steps, setting) ? (steps[setting] ?? 'draw') : 'draw';
}

const place = (step: Step): number => STEPS.indexOf(step);

/**
 * Refuses settings of steps before the one that a replay begins with: they would be recorded without effect.
 *
 * @throws PartloopError `input-invalid` naming the setting and the step to replay from
 */
export function assertMeansSomething(from: Step, settings: Readonly<Record<string, unknown>>): void {
  for (const setting of Object.keys(settings)) {
    const first = firstStepOf(setting);
    if (first === null || place(first) >= place(from)) continue;
    throw new PartloopError(
      'input-invalid',
      `\`${setting}\` is a setting of the step ${first}, which a replay from ${from} keeps`,
      {
        hint: `Replay from ${first}, or omit the setting.`,
      },
    );
  }
}

/**
 * The results that another attempt at an iteration takes over: those of the steps before the one it begins with, and
 * before the first that a changed setting concerns. The record counts, not the digest: today's inputs (another model in
 * production, a pool that grew) must not cause finished work to be done again.
 */
export function keptSteps(
  attempt: Pick<IterationAttempt, 'results' | 'config'>,
  { from, config }: { from: Step | null; config: LoopConfig },
): StepResults {
  const changed = Object.entries(config).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(own<unknown>(attempt.config, name)),
  );
  const concerned = changed.flatMap(([name]) => firstStepOf(name) ?? []);
  const end = Math.min(...[from, ...concerned].map((step) => (step === null ? STEPS.length : place(step))));
  let kept: StepResults = {};
  for (const step of STEPS.slice(0, end)) {
    const result = attempt.results[step];
    // Only a search may be missing in between: it is not always enabled.
    if (result === undefined && step !== 'tune') break;
    // A report tells of the attempt that made it.
    if (result !== undefined && step !== 'report') kept = { ...kept, [step]: result };
  }
  return kept;
}
