import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { iterationWorkflowId, loopWorkflowId } from '../../domain/base/ids.js';
import { findingRowSchema } from '../../domain/tables.js';
import { labelNames } from '../../domain/taxonomy.js';
import { openPool } from '../../storage/pool/pool.js';
import { readScanRecord } from '../../storage/scans.js';
import { readTable } from '../../storage/tables/table.js';
import type { LoopOutcome } from '../chaos/outcome/outcome.js';
import { givenCard } from '../support/models/givenModel.js';
import { writeSeer } from '../support/models/tinyModel.js';
import { type Cars, importingCars } from '../support/servers/carStack.js';
import type { Build } from './builds.js';
import type { RolledStack } from './stack.js';

/** The work while workers are replaced: a loop, and beside it scans by a user's model. */
export const LOOP = 'cars';
export const LOOP_ID = loopWorkflowId(LOOP);
export const iterationId = (iteration: number): string => iterationWorkflowId(LOOP, iteration);
/** Iterations of a training, and between its checkpoints. */
export const TRAINING = 240;
export const CHECKPOINT_EVERY = 20;
/** One picture a shard. */
export const SHARDS = 56;
export const CARS: Cars = { seed: 12, counts: { train: SHARDS, val: 4, test: 8 } };

const POOL = 'cars';
const SIDE = 64;
const LOOP_OPTIONS = [
  ...['--pool', POOL, '--chunk-size', '24', '--sample-share', '0.5', '--seed', '1'],
  ...['--image-size', '32', '--train-iterations', String(TRAINING), '--batch-size', '2'],
];
const LOOP_SETTINGS = [
  ...['train.preset=test_efficientnet', 'train.weights=random', 'train.stages=1', 'train.threads=1'],
  ...[`train.checkpointEvery=${CHECKPOINT_EVERY}`, 'evaluationSize=64', 'gate.minUnits=2'],
  ...['scan.sessions=1', 'scan.foldIterationShare=0.05'],
];
/** Of work that is lost in the moment in which a worker ends, the server learns by them. */
const HEARTBEAT_SECONDS = 10;
const HEARTBEATS = ['trainHeartbeatSeconds', 'scanHeartbeatSeconds'].map(
  (name) => `durability.${name}=${HEARTBEAT_SECONDS}`,
);
/**
 * A worker learns of a cancellation by a heartbeat, which the SDK sends after four fifths of that time at the latest.
 */
export const CANCELLATION_MS = 1_000 * HEARTBEAT_SECONDS;
const SCAN_SETTINGS = ['scan.shardSize=1', 'scan.maxShardsInFlight=1', 'scan.sessions=1', 'evaluationSize=64'];

const set = (settings: readonly string[]): string[] => [...settings, ...HEARTBEATS].flatMap((one) => ['--set', one]);
const startedSchema = z.looseObject({ scanId: z.string(), workflowId: z.string() });

/** The stack runs on a build, and the pool is there. */
export async function prepare(stack: RolledStack, build: Build, manifest: string): Promise<void> {
  await stack.json(build, ['up', '--detach']);
  await stack.json(build, importingCars(manifest, POOL));
}

export async function startLoop(stack: RolledStack, build: Build, iterations: number): Promise<void> {
  const options = [...LOOP_OPTIONS, ...set(LOOP_SETTINGS), '--iterations', String(iterations)];
  await stack.json(build, ['loop', 'start', LOOP, ...options]);
}

/** Scan the pool; the name of the scan, and its workflow. */
export async function startScan(stack: RolledStack, build: Build): Promise<z.infer<typeof startedSchema>> {
  const folder = join(stack.home, 'judge');
  await mkdir(folder, { recursive: true });
  const { taxonomy } = await openPool(await stack.store(), POOL);
  const file = await writeSeer(join(folder, 'scan.onnx'), SIDE, labelNames(taxonomy).length);
  const digest = createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
  await writeFile(join(folder, 'model.json'), JSON.stringify(givenCard(taxonomy, SIDE, digest)));
  const options = ['--pool', POOL, '--model', file, '--unseen', ...set(SCAN_SETTINGS)];
  return startedSchema.parse(await stack.json(build, ['scan', 'run', ...options]));
}

/** The findings of a scan that is done. */
export async function findingsOf(stack: RolledStack, scan: string): Promise<string> {
  const store = await stack.store();
  const record = await readScanRecord(store, scan);
  return JSON.stringify(await readTable(store, record?.result.outputs.findings ?? '', findingRowSchema));
}

/** The results of all of it. */
export interface Outcome {
  loop: LoopOutcome;
  findings: string;
}
