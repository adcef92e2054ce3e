import type { StartLoopRequest } from '../domain/loop/startRequest.js';

export const DEMO_ITERATIONS = 3;
export const CHUNK_SIZE = 130;
export const SAMPLE_SHARE = 0.5;
export const IMAGE_SIZE = 128;

/** How many pictures of each sort the demo renders. */
export interface DemoCounts {
  train: number;
  val: number;
  test: number;
  interior: number;
}
export const DEMO_COUNTS: DemoCounts = { train: DEMO_ITERATIONS * CHUNK_SIZE, val: 24, test: 156, interior: 12 };

/** The demo's loop: sizes that leave room for a signal in fifteen minutes on two cores. */
export function demoRequest(pool: string, loop: string, seed: number): StartLoopRequest {
  return {
    pool,
    loop,
    seed,
    iterations: DEMO_ITERATIONS,
    chunkSize: CHUNK_SIZE,
    sampleShare: SAMPLE_SHARE,
    imageSize: IMAGE_SIZE,
    trainIterations: 300,
    batchSize: 8,
    settings: {
      evaluationSize: IMAGE_SIZE,
      baselineImages: Math.round(DEMO_ITERATIONS * CHUNK_SIZE * SAMPLE_SHARE),
      train: { lrHead: 2e-3, threads: 2, classWeightExponent: 0.5, checkpointEvery: 100 },
      scan: { folds: 2, foldIterationShare: 2 / 3, shardSize: 65, auditSample: 10 },
      // Nobody approves: all three iterations are compared with the same benchmark, the model trained on random images.
      gate: { mode: 'approve' },
    },
  };
}
