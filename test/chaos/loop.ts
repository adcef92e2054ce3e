import { z } from 'zod';
import { importingCars } from '../support/servers/carStack.js';
import type { ChaosHome } from './chaosHome.js';
import { SCHEDULE } from './faults/workflows.js';
import type { StartAnswer } from './outcome/account.js';

/** Sizes of the loop of a chaos run. */
export interface ChaosSize {
  train: number;
  chunk: number;
  iterations: number;
  trainIterations: number;
  imageSize: number;
  /** Whether each iteration searches for better settings too. */
  tune: boolean;
}

export const SMALLEST: ChaosSize = {
  ...{ train: 32, chunk: 32, iterations: 1, trainIterations: 24, imageSize: 64, tune: false },
};
export const USUAL: ChaosSize = {
  ...{ train: 64, chunk: 32, iterations: 2, trainIterations: 16, imageSize: 64, tune: true },
};

export const LOOP = 'chaos';
const POOL = 'chaos';

const answerSchema = z.looseObject({
  outcome: z.enum(['started', 'resumed', 'queued', 'joined']),
  nextIteration: z.number(),
  remaining: z.number(),
});

/** Import the cars, make a schedule that only faults trigger, and ask for the first iterations. */
export async function startLoopIn(
  home: ChaosHome,
  manifest: string,
  size: ChaosSize,
  iterations: number,
): Promise<StartAnswer> {
  await home.up();
  await home.json(importingCars(manifest, POOL));
  const options = optionsOf(size);
  await home.json([
    ...['schedule', 'create', SCHEDULE, '--loop', LOOP, '--every', '30d', '--paused', '--iterations', '1'],
    ...['--pool', POOL],
  ]);
  return answerSchema.parse(
    await home.json(['loop', 'start', LOOP, '--pool', POOL, '--iterations', String(iterations), ...options]),
  );
}

function optionsOf(size: ChaosSize): string[] {
  const settings = [
    'evaluationSize=64',
    'train.checkpointEvery=4',
    'train.threads=1',
    'scan.shardSize=8',
    'scan.sessions=1',
    'scan.maxShardsInFlight=1',
    'gate.minUnits=2',
    'durability.trainHeartbeatSeconds=8',
    'durability.scanHeartbeatSeconds=6',
    ...(size.tune ? ['tune.enabled=true', 'tune.trials=2', 'tune.rungs=1'] : []),
  ];
  return [
    ...['--chunk-size', String(size.chunk), '--sample-share', '0.5', '--image-size', String(size.imageSize)],
    ...['--train-iterations', String(size.trainIterations), '--batch-size', '4', '--seed', '1'],
    ...settings.flatMap((setting) => ['--set', setting]),
  ];
}
