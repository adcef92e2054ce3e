// Names of partloop's workflows, of their messages and of their queries. Histories and other builds use these names.

/** The types of workflows: partloop ignores other types in the namespace. */
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
