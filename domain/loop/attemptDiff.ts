import { isRecord } from '../base/isRecord.js';
import { STEPS, type Step, type StepResult } from '../steps.js';
import type { IterationAttempt } from './state.js';

type Value = StepResult['facts'][string];

/** One setting that differs, by its path. */
export interface SettingDiff {
  setting: string;
  a: unknown;
  b: unknown;
}

/** One step of both attempts. */
export interface StepDiff {
  step: Step;
  /** Both found, or made, the same result: equal inputs, settings and versions. */
  same: boolean;
  a: string | null;
  b: string | null;
  /** Facts with different values. */
  facts: { fact: string; a: Value | undefined; b: Value | undefined }[];
}

export interface AttemptDiff {
  settings: SettingDiff[];
  steps: StepDiff[];
}

/** The common and the different parts of two attempts, at one iteration or at two. */
export function attemptDiff(a: IterationAttempt, b: IterationAttempt): AttemptDiff {
  return { settings: settingDiffs(a.config, b.config), steps: STEPS.flatMap((step) => stepDiff(step, a, b)) };
}

function stepDiff(step: Step, a: IterationAttempt, b: IterationAttempt): StepDiff[] {
  const one: StepResult | undefined = a.results[step];
  const other: StepResult | undefined = b.results[step];
  if (one === undefined && other === undefined) return [];
  const names = [...new Set([...Object.keys(one?.facts ?? {}), ...Object.keys(other?.facts ?? {})])];
  const facts = names
    .map((fact) => ({ fact, a: one?.facts[fact], b: other?.facts[fact] }))
    .filter((each) => each.a !== each.b);
  const digests = { a: one?.digest ?? null, b: other?.digest ?? null };
  return [{ step, same: digests.a === digests.b, ...digests, facts }];
}

/** The settings that differ, by their paths. */
export function settingDiffs(a: unknown, b: unknown, path: readonly string[] = []): SettingDiff[] {
  if (isRecord(a) && isRecord(b)) {
    const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
    return names.flatMap((name) => settingDiffs(a[name], b[name], [...path, name]));
  }
  return JSON.stringify(a) === JSON.stringify(b) ? [] : [{ setting: path.join('.'), a, b }];
}
