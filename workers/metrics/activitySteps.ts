import type { Activities } from '../../activities/index.js';
import type { Step } from '../../domain/stepContract.js';

/** The step that each activity works for; `loop` is the bookkeeping of loops. */
const STEP_OF: Readonly<Record<keyof Activities, Step | 'loop'>> = {
  draw: 'draw',
  planScan: 'scan',
  tryJudges: 'scan',
  scanShard: 'scan',
  reduceScan: 'scan',
  trainFold: 'scan',
  prepareScan: 'scan',
  recordScan: 'scan',
  sample: 'sample',
  train: 'train',
  trainRandomBaseline: 'train',
  ensureBenchmark: 'train',
  evaluate: 'evaluate',
  decide: 'decide',
  proposeTrial: 'tune',
  trainTrial: 'tune',
  finishTuning: 'tune',
  report: 'report',
  startOrJoinLoop: 'loop',
  loadLoop: 'loop',
  poolVersion: 'loop',
  adoptProposal: 'loop',
  prepareIteration: 'loop',
  recordIteration: 'loop',
  isRunning: 'loop',
  joinWorkflow: 'loop',
};

/** The step that an activity works for. */
export const stepOfActivity = (activity: string): string =>
  Object.entries(STEP_OF).find(([name]) => name === activity)?.[1] ?? 'loop';
