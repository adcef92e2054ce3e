import type { Activities } from '../../activities/index.js';
import type { Step } from '../../domain/stepContract.js';

/**
 * The step that each activity works for; `loop` is the bookkeeping of loops, `ingest` the inboxes of pools, `gc` the
 * clean-up.
 */
const STEP_OF: Readonly<Record<keyof Activities, Step | 'loop' | 'ingest' | 'gc'>> = {
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
  trainControl: 'control',
  compareControl: 'control',
  skipControl: 'control',
  report: 'report',
  startOrJoinLoop: 'loop',
  loadLoop: 'loop',
  poolVersion: 'loop',
  adoptProposal: 'loop',
  keepPolicy: 'loop',
  approveIteration: 'loop',
  prepareIteration: 'loop',
  recordIteration: 'loop',
  isRunning: 'loop',
  joinWorkflow: 'loop',
  countUndrawn: 'loop',
  startIngests: 'ingest',
  lookAtInbox: 'ingest',
  settleDrop: 'ingest',
  tellLoops: 'ingest',
  sweepStore: 'gc',
  tellFailedCleanUp: 'gc',
};

/** The step that an activity works for. */
export const stepOfActivity = (activity: string): string =>
  Object.entries(STEP_OF).find(([name]) => name === activity)?.[1] ?? 'loop';
