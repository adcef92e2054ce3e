import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { z } from 'zod';
import { waitForLoop } from '../../cli/loopClient.js';
import { sampleRowSchema } from '../../domain/tables.js';
import { readTable } from '../../storage/table.js';
import { drawCars, importingCars } from '../support/carStack.js';
import { partloop, partloopJson } from '../support/cli.js';
import { clientOfHome, killSupervised, storeOfHome } from './home.js';

/** Sizes of a chaos run. */
export interface ChaosSize {
  train: number;
  chunk: number;
  iterations: number;
  trainIterations: number;
  imageSize: number;
}

export const SMALLEST: ChaosSize = { train: 32, chunk: 32, iterations: 1, trainIterations: 24, imageSize: 64 };

/** What must not depend on which machines died: the picked rows and the weights of every iteration. */
export interface Outcome {
  iteration: number;
  sample: string;
  weights: string;
}

export interface ChaosReport {
  undisturbed: Outcome[];
  disturbed: Outcome[];
  kills: string[];
  /** Command lines of processes of either home that outlived `down`. */
  leftBehind: string[];
}

const iterationSchema = z.looseObject({
  current: z.looseObject({
    results: z.record(
      z.string(),
      z.looseObject({ outputs: z.record(z.string(), z.string()), facts: z.record(z.string(), z.unknown()) }),
    ),
  }),
});
/**
 * Run the same loop twice from the same pool and seed, in two homes: once undisturbed, once with SIGKILL to the train
 * worker in training, the Temporal server, the S3 server and the scan worker, one after the other.
 */
export async function runChaos(size: ChaosSize, say: (text: string) => void): Promise<ChaosReport> {
  const folder = await mkdtemp(join(tmpdir(), 'partloop-chaos-'));
  const homes = { undisturbed: join(folder, 'undisturbed'), disturbed: join(folder, 'disturbed') };
  const kills: string[] = [];
  try {
    const counts = { train: size.train, val: 4, test: 8 };
    const manifest = await drawCars(folder, { seed: 11, size: size.imageSize, counts });
    await start(homes.undisturbed, manifest, size);
    await settle(homes.undisturbed, say);
    const undisturbed = await outcomes(homes.undisturbed, size);
    await partloop(homes.undisturbed, ['down']);

    await start(homes.disturbed, manifest, size);
    const kill = async (name: string, when: string): Promise<void> => {
      await killSupervised(homes.disturbed, name);
      kills.push(`${name} ${when}`);
      say(`SIGKILL ${name} ${when}`);
    };
    await untilCheckpoint(homes.disturbed);
    await kill('worker-train', 'after a checkpoint of a fold');
    await sleep(3_000);
    await kill('temporal', 'while the fold trains again');
    await sleep(3_000);
    await kill('s3', 'while the server comes back');
    await untilShard(homes.disturbed);
    await kill('worker-scan', 'in a shard');
    await settle(homes.disturbed, say);
    const disturbed = await outcomes(homes.disturbed, size);
    await partloop(homes.disturbed, ['down']);
    return { undisturbed, disturbed, kills, leftBehind: await processesOf(folder) };
  } finally {
    for (const home of Object.values(homes)) await partloop(home, ['down', '--force']);
    await rm(folder, { recursive: true, force: true });
  }
}

async function start(home: string, manifest: string, size: ChaosSize): Promise<void> {
  await partloopJson(home, importingCars(manifest, 'chaos'));
  const settings = [
    'evaluationSize=64',
    'train.checkpointEvery=4',
    'train.threads=1',
    'scan.shardSize=8',
    'scan.sessions=1',
    'scan.maxShardsInFlight=1',
    'durability.trainHeartbeatSeconds=8',
    'durability.scanHeartbeatSeconds=6',
  ];
  await partloopJson(home, [
    'loop',
    'start',
    'chaos',
    '--pool',
    'chaos',
    '--iterations',
    String(size.iterations),
    '--chunk-size',
    String(size.chunk),
    '--sample-share',
    '0.5',
    '--image-size',
    String(size.imageSize),
    '--train-iterations',
    String(size.trainIterations),
    '--batch-size',
    '4',
    '--seed',
    '1',
    ...settings.flatMap((setting) => ['--set', setting]),
  ]);
}

const SETTLE_MS = 10 * 60_000;

/** Asked without a command for each look, which would take the time of what is waited for. */
async function settle(home: string, say: (text: string) => void): Promise<void> {
  const client = await clientOfHome(home);
  try {
    const { phase, error } = await waitForLoop(client, 'chaos', () => {}, AbortSignal.timeout(SETTLE_MS));
    if (phase !== 'idle') throw new Error(`the loop in ${home} is ${phase}: ${error}`);
    say('the loop ended');
  } finally {
    await client.connection.close();
  }
}

async function outcomes(home: string, size: ChaosSize): Promise<Outcome[]> {
  const store = await storeOfHome(home);
  const all: Outcome[] = [];
  for (let iteration = 1; iteration <= size.iterations; iteration++) {
    const { current } = iterationSchema.parse(
      await partloopJson(home, ['iteration', 'show', 'chaos', String(iteration)]),
    );
    const rows = await readTable(store, current.results.sample?.outputs.sample ?? '', sampleRowSchema);
    all.push({ iteration, sample: JSON.stringify(rows), weights: String(current.results.train?.facts.weightsSha256) });
  }
  return all;
}

/** Until the trainer has left a whole checkpoint on this disk. */
async function untilCheckpoint(home: string): Promise<void> {
  await until(async () => {
    const files = await readdir(join(home, 'work'), { recursive: true }).catch(() => []);
    return files.some((file) => /checkpoints\/\d+\.json$/.test(file));
  });
}

/** Until the first shard has left its object, so that the next is under way. */
async function untilShard(home: string): Promise<void> {
  await until(async () => {
    try {
      for await (const { key } of (await storeOfHome(home)).list('loops/'))
        if (/\/shards\/.*\.json\.gz$/.test(key)) return true;
    } catch {
      // The store is one of those that were killed: ask again.
    }
    return false;
  });
}

async function until(done: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + SETTLE_MS;
  while (!(await done())) {
    if (Date.now() > deadline) throw new Error('what the chaos run waits for did not happen');
    await sleep(100);
  }
}

const run = promisify(execFile);

/** Command lines of processes that name the folder or were started with it in their environment. */
async function processesOf(folder: string): Promise<string[]> {
  const { stdout } = await run('ps', ['-eo', 'pid=']);
  const found: string[] = [];
  for (const pid of stdout
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && line !== String(process.pid))) {
    const [command, environment] = await Promise.all([
      readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''),
      readFile(`/proc/${pid}/environ`, 'utf8').catch(() => ''),
    ]);
    if (command.includes(folder) || environment.includes(folder)) found.push(`${pid} ${command.replaceAll('\0', ' ')}`);
  }
  return found;
}
