import type { LoopConfig } from '../config.js';
import type { WorkOf } from '../stepContract.js';
import { type Trial, winner } from './halving.js';
import type { Tuning } from './proposal.js';
import type { tuneStep } from './step.js';
import { rungEnds } from './trials.js';

/** The result of a search. */
export interface TuningOutcome {
  tuning: Tuning;
  facts: WorkOf<typeof tuneStep>['facts'];
}

/**
 * The proposal of a search's trials. `stopped`: the reason for an end before all trials were done; null if there was
 * none.
 */
export function tuningOutcome(
  trials: readonly Trial[],
  { config, iteration, stopped }: { config: LoopConfig; iteration: number; stopped: string | null },
): TuningOutcome {
  const { rungs, minGain } = config.tune;
  const best = winner(trials, rungs, minGain);
  const ownMiou = trials.find(({ trial }) => trial === 0)?.values[rungs - 1];
  const miou = best?.values[rungs - 1];
  const proposal =
    best === null || miou === undefined || ownMiou === undefined
      ? null
      : { iteration, settings: best.settings, miou, ownMiou };
  return {
    tuning: { version: 1, trials: [...trials], rungs: rungEnds(config), proposal, stopped },
    facts: {
      trials: trials.length,
      best: best?.trial ?? null,
      valMiou: miou ?? null,
      ownValMiou: ownMiou ?? null,
      proposed: proposal !== null,
    },
  };
}
