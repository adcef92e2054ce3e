// Names of partloop's workflows, of their messages and of their queries. Histories and other builds use these names.

/** The types of workflows: partloop ignores other types in the namespace. */
export const WORKFLOWS = {
  startLoop: 'startLoop',
  trainingLoop: 'trainingLoop',
  loopIteration: 'loopIteration',
  mislabelScan: 'mislabelScan',
  hyperparameterSearch: 'hyperparameterSearch',
  startIngest: 'startIngest',
  poolIngest: 'poolIngest',
  cleanUp: 'cleanUp',
} as const;
export const WORKFLOW_TYPES: readonly string[] = Object.values(WORKFLOWS);

/** Updates of a `trainingLoop`. */
export const UPDATES = {
  runIterations: 'runIterations',
  retryIteration: 'retryIteration',
  pause: 'pause',
  resume: 'resume',
  setConfig: 'setConfig',
  setPolicy: 'setPolicy',
  adoptProposal: 'adoptProposal',
  approveIteration: 'approveIteration',
  stop: 'stop',
} as const;

/** Signals: to a `trainingLoop` the first three, to a `loopIteration` the fourth, to a `poolIngest` the last. */
export const SIGNALS = {
  poolGrew: 'poolGrew',
  iterationFinished: 'iterationFinished',
  iterationHeld: 'iterationHeld',
  setPaused: 'setPaused',
  dropArrived: 'dropArrived',
} as const;

/** Queries: of a `trainingLoop` the first, of a `loopIteration`, a `mislabelScan` and a `poolIngest` the second. */
export const QUERIES = { status: 'status', progress: 'progress' } as const;
