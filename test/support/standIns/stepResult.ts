import type { ResultOf, StepResult } from '../../../domain/stepContract.js';
import { CONTRACTS, recordedResult } from '../../../domain/steps.js';
import { armPart, foldPart } from '../../../domain/train/step.js';
import { trialPart } from '../../../domain/tune/step.js';
import { digestOf } from '../../../storage/digest.js';

const ALL = { ...CONTRACTS, fold: foldPart, trial: trialPart, arm: armPart } as const;

/** Whatever leaves a result: a step, or a part of one. */
export type Working = keyof typeof ALL;
export type ResultBy<Name extends Working> = ResultOf<(typeof ALL)[Name]>;
export type FactsBy<Name extends Working> = ResultBy<Name>['facts'];

/** The result that a finished step or part leaves for the next ones. */
export const stepResult = <Name extends Working>(
  step: Name,
  outputs: StepResult['outputs'] = {},
  facts?: FactsBy<Name>,
): ResultBy<Name> =>
  recordedResult(ALL[step]).parse({
    ...{ step, digest: digestOf([step, outputs]), outcome: 'miss' },
    ...{ outputs, facts: facts ?? {}, seconds: 1 },
  });
