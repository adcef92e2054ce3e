import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { connect, storeOf } from '../../cli/environment.js';
import { poolIngestWorkflowId } from '../../domain/base/ids.js';
import { dsmlr18 } from '../../domain/taxonomies/dsmlr18.js';
import { runningState, type StackEnvironment } from '../../infra/environment.js';
import { listReceipts } from '../../pool/ingest/inbox.js';
import { keys } from '../../storage/keys.js';
import { type Cost, ProcessWatch } from '../processes.js';
import { type RunningProgram, startPartloop } from '../program.js';
import { cocoDataset, type DatasetRequest, FIRST_TEST, maskDrop } from './dataset.js';
import type { HistoryFigures, ImportFigures } from './faults.js';
import { figuresOfHistory } from './history.js';
import { poolFigures } from './poolFigures.js';

/** Test pictures of a pool before a drop comes: what a drop shares with them is looked for. */
const TEST_PICTURES = 200;
const SERVERS = ['worker-light', 's3', 'temporal'] as const;

export interface RunRequest extends Omit<DatasetRequest, 'from' | 'taxonomy'> {
  env: StackEnvironment;
  /** Kill the program that imports after so many seconds; never, if it is null. */
  killAfter: number | null;
  /** Folder for a profile of the command that imports. */
  profile: string | null;
}

const reportSchema = z.object({ added: z.number(), known: z.number(), refused: z.array(z.unknown()) });

/** `partloop import coco` of a data set on this disk into a fresh pool. */
export async function importCoco(request: RunRequest): Promise<ImportFigures> {
  const { env, count, killAfter, profile } = request;
  const { images, annotations } = await cocoDataset({ ...request, from: 0, taxonomy: dsmlr18 }, { withTest: true });
  const pool = `bench-import-coco-${count}${killAfter === null ? '' : '-killed'}`;
  await forget(env, pool);
  const args = ['import', 'coco', '--images', images, '--annotations', annotations, '--taxonomy', 'dsmlr-18'];
  let program: RunningProgram | null = null;
  const start = (): RunningProgram => {
    const prefix = profile === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
    program = startPartloop(env.home, [...args, '--pool', pool], prefix);
    return program;
  };
  const { result, ...cost } = await measured(
    env,
    () => program,
    async () => {
      const first = start();
      if (killAfter === null) return first.ended;
      await wait(killAfter * 1_000);
      process.kill(first.pid, 'SIGKILL');
      await first.ended;
      return start().ended;
    },
  );
  const { added, known, refused } = reportSchema.parse(result);
  return {
    ...{ way: 'coco', images: count, killed: killAfter !== null, ...cost, added, known, refused: refused.length },
    ...{ pool: await poolFigures(storeOf(env), pool, 0), history: null },
  };
}

/** One drop of so many images through the ingest of a pool that has a test set. */
export async function ingestDrop(request: RunRequest): Promise<ImportFigures> {
  const { env, count, killAfter, say } = request;
  const store = storeOf(env);
  const pool = `bench-import-drop-${count}${killAfter === null ? '' : '-killed'}`;
  await forget(env, pool);
  const { drop } = await maskDrop({ ...request, from: 0, taxonomy: dsmlr18 });
  const test = await maskDrop({ ...request, from: FIRST_TEST, count: TEST_PICTURES, taxonomy: dsmlr18 });
  const taking = ['--manifest', test.manifest, '--taxonomy', 'dsmlr-18', '--pool', pool, '--split', 'test'];
  await startPartloop(env.home, ['import', 'masks', ...taking]).ended;
  say(`drop of ${count} images: it is sent …`);
  await startPartloop(env.home, ['ingest', 'send', pool, drop]).ended;
  let program: RunningProgram | null = null;
  const { result: _, ...cost } = await measured(
    env,
    () => program,
    async () => {
      program = startPartloop(env.home, ['ingest', 'run', pool, '--wait']);
      if (killAfter !== null) {
        await wait(killAfter * 1_000);
        const worker = runningState(env.home)?.processes['worker-light']?.process;
        if (worker != null) process.kill(worker.pid, 'SIGKILL');
      }
      return program.ended;
    },
  );
  const [receipt] = await listReceipts(store, pool);
  return {
    ...{ way: 'ingest', images: count, killed: killAfter !== null, ...cost },
    ...{ added: receipt?.added ?? 0, known: receipt?.known ?? 0, refused: receipt?.refused ?? 0 },
    ...{ pool: await poolFigures(store, pool, TEST_PICTURES), history: await historyOf(env, pool) },
  };
}

interface Measured {
  result: unknown;
  wallSeconds: number;
  coreSeconds: number;
  costs: Cost[];
}

/** What the work costs, with the servers of the stack and their helpers. */
async function measured(
  env: StackEnvironment,
  program: () => RunningProgram | null,
  work: () => Promise<unknown>,
): Promise<Measured> {
  const watch = new ProcessWatch(() => {
    const processes = runningState(env.home)?.processes;
    const servers = SERVERS.flatMap((name) => {
      const pid = processes?.[name]?.process?.pid;
      return pid === undefined ? [] : [[name, pid] as const];
    });
    const own = program();
    return own === null ? servers : [...servers, ['command', own.pid] as const];
  });
  const start = performance.now();
  let costs: Cost[] = [];
  try {
    const result = await work();
    const wallSeconds = (performance.now() - start) / 1_000;
    costs = watch.end();
    return { result, wallSeconds, coreSeconds: costs.reduce((sum, one) => sum + one.coreSeconds, 0), costs };
  } finally {
    if (costs.length === 0) watch.end();
  }
}

/** Delete the pool of an earlier measurement. */
async function forget(env: StackEnvironment, pool: string): Promise<void> {
  if ((await storeOf(env).head(keys.taxonomy(pool))) === null) return;
  await startPartloop(env.home, ['pool', 'delete', pool, '--confirm', pool]).ended;
}

async function historyOf(env: StackEnvironment, pool: string): Promise<HistoryFigures> {
  const client = await connect(env);
  try {
    return await figuresOfHistory(client, poolIngestWorkflowId(pool));
  } finally {
    await client.connection.close();
  }
}
