import { z } from 'zod';
import { tunedSettingsSchema } from './space.js';

/** One configuration of a search and its progress. Trial 0 has the loop's own settings. */
export const trialSchema = z.object({
  trial: z.number().int().nonnegative(),
  settings: tunedSettingsSchema,
  /** mIoU on the validation images at the end of each rung that was trained, lowest rung first. */
  values: z.array(z.number()),
  /** Total seconds of training. */
  seconds: z.number(),
  running: z.boolean(),
  /** The reason of its failure; null if it did not fail. */
  error: z.string().nullable(),
});
export type Trial = z.infer<typeof trialSchema>;

export interface HalvingSettings {
  /** Number of configurations, including the loop's own. */
  trials: number;
  /** One of this many trials that reached a rung continues to the next. */
  reduction: number;
  rungs: number;
}

export type Job =
  | { kind: 'train'; trial: number; rung: number }
  | { kind: 'propose' }
  | { kind: 'wait' }
  | { kind: 'done' };

/**
 * The next action, by asynchronous successive halving (Li et al. 2018, "A system for massively parallel hyperparameter
 * tuning"). A trial among the best 1/reduction of its rung continues to the next rung; if there is none, a new one
 * starts. The loop's own settings are trained through all rungs, for comparison.
 */
export function nextJob(trials: readonly Trial[], settings: HalvingSettings): Job {
  const free = trials.filter(({ running, error }) => !running && error === null);
  const own = free.find(({ trial }) => trial === 0);
  if (own !== undefined && own.values.length < settings.rungs)
    return { kind: 'train', trial: 0, rung: own.values.length };

  const started = free.find(({ values }) => values.length === 0);
  if (started !== undefined) return { kind: 'train', trial: started.trial, rung: 0 };

  for (let rung = settings.rungs - 2; rung >= 0; rung--) {
    const best = promotable(trials, rung, settings.reduction).find(
      (one) => !one.running && one.values.length === rung + 1,
    );
    if (best !== undefined) return { kind: 'train', trial: best.trial, rung: rung + 1 };
  }
  if (trials.length < settings.trials) return { kind: 'propose' };
  return trials.some(({ running }) => running) ? { kind: 'wait' } : { kind: 'done' };
}

/** The best 1/reduction of the trials measured at a rung, best first; the loop's own settings always continue. */
function promotable(trials: readonly Trial[], rung: number, reduction: number): Trial[] {
  const measured = trials.filter(({ trial, values, error }) => trial !== 0 && error === null && values.length > rung);
  const ranked = [...measured].sort((a, b) => valueAt(b, rung) - valueAt(a, rung) || a.trial - b.trial);
  return ranked.slice(0, Math.floor(measured.length / reduction));
}

const valueAt = ({ values }: Trial, rung: number): number => values[rung] ?? Number.NEGATIVE_INFINITY;

/**
 * Iteration at which a rung ends: whole cycles of the learning rate, `reduction` times as many from rung to rung. The
 * last rung ends at `iterations` or, if that is no multiple, shortly before.
 */
export function rungEnd(rung: number, iterations: number, { reduction, rungs }: HalvingSettings): number {
  return cycleLength(iterations, { reduction, rungs }) * reduction ** rung;
}

/** Cycles of the whole schedule of a trial: one in the lowest rung. */
export const cyclesOf = ({ reduction, rungs }: Pick<HalvingSettings, 'reduction' | 'rungs'>): number =>
  reduction ** (rungs - 1);

function cycleLength(iterations: number, settings: Pick<HalvingSettings, 'reduction' | 'rungs'>): number {
  return Math.max(1, Math.floor(iterations / cyclesOf(settings)));
}

/** The best trial of the last rung, if it beats the loop's own settings there by at least `minGain`; otherwise null. */
export function winner(trials: readonly Trial[], rungs: number, minGain: number): Trial | null {
  const last = rungs - 1;
  const own = trials.find(({ trial }) => trial === 0)?.values[last];
  if (own === undefined) return null;
  const best = trials
    .filter(({ trial, values }) => trial !== 0 && values[last] !== undefined)
    .sort((a, b) => valueAt(b, last) - valueAt(a, last) || a.trial - b.trial)[0];
  return best !== undefined && valueAt(best, last) - own >= minGain ? best : null;
}

/**
 * Whether a job's training fits into the remaining hours, at the pace of the training so far. Before any training the
 * answer is yes: a budget that is too small for one rung shows after it.
 */
export function fitsInto(
  hoursLeft: number,
  iterations: number,
  trained: { iterations: number; seconds: number },
): boolean {
  if (hoursLeft <= 0) return false;
  if (trained.iterations === 0) return true;
  return (iterations * trained.seconds) / trained.iterations <= hoursLeft * 3_600;
}
