// What partloop's workflows are called, and what they can be told and asked. Histories and other builds hold these
// names.

/** The types of workflows: those of others in the namespace are none of partloop's business. */
export const WORKFLOWS = {
  startLoop: 'startLoop',
  trainingLoop: 'trainingLoop',
  loopIteration: 'loopIteration',
  mislabelScan: 'mislabelScan',
  hyperparameterSearch: 'hyperparameterSearch',
} as const;
export const WORKFLOW_TYPES: readonly string[] = Object.values(WORKFLOWS);

/** Updates of a `trainingLoop`. */
export const UPDATES = {
  runIterations: 'runIterations',
  retryIteration: 'retryIteration',
  pause: 'pause',
  resume: 'resume',
  setConfig: 'setConfig',
  adoptProposal: 'adoptProposal',
  approveIteration: 'approveIteration',
  stop: 'stop',
} as const;

/** Signals: to a `trainingLoop` the first three, to a `loopIteration` the last. */
export const SIGNALS = {
  poolGrew: 'poolGrew',
  iterationFinished: 'iterationFinished',
  iterationHeld: 'iterationHeld',
  setPaused: 'setPaused',
} as const;

/** Queries: of a `trainingLoop` the first, of a `loopIteration` and a `mislabelScan` the second. */
export const QUERIES = { status: 'status', progress: 'progress' } as const;
