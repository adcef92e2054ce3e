import type { LoopConfig } from '../domain/config.js';
import type { StepResults } from '../domain/steps.js';

/** An iteration of the loop with its settings and the results of its steps. */
export interface IterationSoFar {
  iteration: number;
  config: LoopConfig;
  results: StepResults;
}
