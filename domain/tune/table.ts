import type { Trial } from './halving.js';
import type { TunedSettings } from './space.js';

/** One line of the table of trials, for the details of the workflow, the report and the command line. */
export interface TrialLine {
  trial: string;
  settings: string;
  /** mIoU on the validation images after each rung; null if it was not trained that far. */
  values: (number | null)[];
  minutes: number;
  state: string;
}

/** Trials in the order of their proposal; the loop's own settings come first. */
export function trialLines(trials: readonly Trial[], rungs: number): TrialLine[] {
  return trials.map(({ trial, settings, values, seconds, running, error }) => ({
    trial: trial === 0 ? '0, as it is' : String(trial),
    settings: settingsText(settings),
    values: Array.from({ length: rungs }, (_, rung) => values[rung] ?? null),
    minutes: Math.round(seconds / 6) / 10,
    state: stateText({ values, running, error }, rungs),
  }));
}

function stateText({ values, running, error }: Pick<Trial, 'values' | 'running' | 'error'>, rungs: number): string {
  if (error !== null) return error;
  if (running) return 'training';
  if (values.length === 0) return 'not trained';
  return values.length === rungs ? 'all rungs' : `left after rung ${values.length}`;
}

/** `lrHead 0.0013, loss ce+dice`. */
export const settingsText = (settings: TunedSettings): string =>
  Object.entries(settings)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
