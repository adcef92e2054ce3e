import { type LoopConfig, type TrainConfig, trainConfigSchema } from '../config.js';
import { cyclesOf, rungEnd, type Trial } from './halving.js';
import { type Dimension, dimensionsOf, settingsOf, type TunedSettings, withTunedSettings } from './space.js';

/** A trial before its first rung. */
export const newTrial = (trial: number, settings: TunedSettings): Trial => ({
  trial,
  settings,
  values: [],
  seconds: 0,
  running: false,
  error: null,
});

/** Trial 0: the loop's own settings. */
export const ownTrial = ({ train, tune }: LoopConfig): Trial => newTrial(0, settingsOf(train, tune.space));

/** Iterations at which the rungs of a search end, the lowest first. */
export function rungEnds({ train, tune }: LoopConfig): number[] {
  const longest = Math.max(1, Math.round(train.iterations * tune.iterationShare));
  return Array.from({ length: tune.rungs }, (_, rung) => rungEnd(rung, longest, tune));
}

/**
 * The settings of a trial: its schedule is always that of the longest rung, so that each rung continues where the one
 * below ended.
 */
export function trialConfig(config: LoopConfig, settings: TunedSettings): TrainConfig {
  return trainConfigSchema.parse({
    ...withTunedSettings(config.train, settings),
    iterations: rungEnds(config).at(-1),
    cycles: cyclesOf(config.tune),
  });
}

/** A search's request as `trainer/partloop_trainer/propose.py` reads it. */
export interface ProposalRequest {
  space: Record<string, Dimension>;
  seed: number;
  trials: {
    params: TunedSettings;
    state: 'running' | 'stopped' | 'complete' | 'failed';
    rungs: Record<string, number>;
  }[];
}

/** Trials with settings outside the space, such as the loop's own, are left out: the estimator cannot place them. */
export function proposalRequest(trials: readonly Trial[], { tune }: LoopConfig, seed: number): ProposalRequest {
  const space = dimensionsOf(tune.space);
  return {
    space,
    seed,
    trials: trials
      .filter(({ settings }) => isInside(settings, space))
      .map((trial) => ({
        params: trial.settings,
        state: stateOf(trial, tune.rungs),
        rungs: Object.fromEntries(trial.values.map((value, rung) => [String(rung), value])),
      })),
  };
}

function stateOf({ values, running, error }: Trial, rungs: number): ProposalRequest['trials'][number]['state'] {
  if (error !== null) return 'failed';
  if (values.length === rungs) return 'complete';
  return running || values.length === 0 ? 'running' : 'stopped';
}

function isInside(settings: TunedSettings, space: Record<string, Dimension>): boolean {
  const values: Record<string, unknown> = settings;
  return Object.entries(space).every(([name, dimension]) => {
    const value = values[name];
    if ('choices' in dimension) return typeof value === 'string' && dimension.choices.includes(value);
    return typeof value === 'number' && value >= dimension.low && value <= dimension.high;
  });
}

const DIGITS = 4;

/**
 * An answer with numbers of four digits, still inside the space, so that the trained values are those that people read.
 */
export function roundedAnswer(
  params: Readonly<Record<string, number | string>>,
  space: Record<string, Dimension>,
): Record<string, number | string> {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => {
      const dimension = space[name];
      if (typeof value === 'string' || dimension === undefined || 'choices' in dimension) return [name, value];
      return [name, Math.min(dimension.high, Math.max(dimension.low, Number(value.toPrecision(DIGITS))))];
    }),
  );
}
