import type { ResultOf, StepResult } from '../../domain/stepContract.js';
import { CONTRACTS, recordedResult, type Step } from '../../domain/steps.js';
import { digestOf } from '../../storage/digest.js';

/** What a step that was done leaves for the next ones. */
export const stepResult = <Name extends Step>(
  step: Name,
  outputs: StepResult['outputs'] = {},
  facts: StepResult['facts'] = {},
): ResultOf<(typeof CONTRACTS)[Name]> =>
  recordedResult(CONTRACTS[step]).parse({
    ...{ step, digest: digestOf([step, outputs]), outcome: 'miss' },
    ...{ outputs, facts, seconds: 1 },
  });
