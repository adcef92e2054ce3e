import { PartloopError } from '../base/errors.js';
import { isRecord } from '../base/isRecord.js';
import { own } from '../base/own.js';
import type { LoopConfig } from '../config.js';
import { isOptional, STEPS, type Step, type StepResults } from '../steps.js';
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

/** Settings that concern a later step than the others of their group. */
const LATER_STEP: Readonly<Record<string, Readonly<Record<string, Step>>>> = { sample: { controlArm: 'control' } };

/** Settings of machines, of times and of what is noted elsewhere, not of results. */
const NO_STEP: ReadonlySet<string> = new Set(['durability', 'policy', 'tracking']);

/** Folds of a scan are trained too, but with the settings of the time of the scan. */
function firstStepOf(setting: string): Step | null {
  if (NO_STEP.has(setting)) return null;
  const steps: Readonly<Record<string, Step>> = FIRST_STEP;
  return Object.hasOwn(steps, setting) ? (steps[setting] ?? 'draw') : 'draw';
}

/** The names of a group's settings; a setting that is no group has none, which stands for itself. */
const settingsIn = (value: unknown): string[] => (isRecord(value) ? Object.keys(value) : ['']);

/** The names of those that differ. */
function changedIn(value: unknown, before: unknown): string[] {
  if (JSON.stringify(value) === JSON.stringify(before)) return [];
  if (!isRecord(value) || !isRecord(before)) return [''];
  const names = new Set([...Object.keys(value), ...Object.keys(before)]);
  return [...names].filter((name) => JSON.stringify(value[name]) !== JSON.stringify(before[name]));
}

/** The first step that some settings of a group concern; null if it is none. */
function firstStepOfSome(group: string, settings: readonly string[]): Step | null {
  const later = own(LATER_STEP, group) ?? {};
  const steps = settings.map((setting) => own(later, setting) ?? firstStepOf(group));
  return steps.reduce(
    (first, step) => (first === null || (step !== null && place(step) < place(first)) ? step : first),
    null,
  );
}

const place = (step: Step): number => STEPS.indexOf(step);

/**
 * Refuses settings of steps before the one that a replay begins with: they would be recorded without effect.
 *
 * @throws PartloopError `input-invalid` naming the setting and the step to replay from
 */
export function assertMeansSomething(from: Step, settings: Readonly<Record<string, unknown>>): void {
  for (const [setting, value] of Object.entries(settings)) {
    const first = firstStepOfSome(setting, settingsIn(value));
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
  const concerned = Object.entries(config).flatMap(
    ([name, value]) => firstStepOfSome(name, changedIn(value, own<unknown>(attempt.config, name))) ?? [],
  );
  const end = Math.min(...[from, ...concerned].map((step) => (step === null ? STEPS.length : place(step))));
  let kept: StepResults = {};
  for (const step of STEPS.slice(0, end)) {
    const result = attempt.results[step];
    if (result === undefined && !isOptional(step)) break;
    // A report tells of the attempt that made it.
    if (result !== undefined && step !== 'report') kept = { ...kept, [step]: result };
  }
  return kept;
}
