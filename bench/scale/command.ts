import { rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { connect, storeOf } from '../../cli/environment.js';
import { wholeNumberBetween } from '../../cli/options.js';
import { printLine, printText, say } from '../../cli/terminal/output.js';
import { PartloopError } from '../../domain/base/errors.js';
import { countUndrawn } from '../../domain/draw/drawChunk.js';
import { drawnSchema, testCopiesSchema } from '../../domain/draw/drawn.js';
import type { LoopState } from '../../domain/loop/state.js';
import { outputOf } from '../../domain/stepContract.js';
import { resolveEnvironment } from '../../infra/environment.js';
import { partloopHome, ROOT } from '../../infra/home.js';
import { readLoopState } from '../../storage/loopState.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { openPool } from '../../storage/pool/pool.js';
import { readJson } from '../../storage/tables/json.js';
import { interruption } from '../interrupt.js';
import { describeMachine, machineLine } from '../machine.js';
import { writeResults } from '../results.js';
import { claimsOf, type ScaleFigures, type ScaleOptions } from './figures.js';
import { countDrawn } from './measure/drawn.js';
import { readRuns } from './measure/histories.js';
import { iterationCosts } from './measure/iterations.js';
import { storeSize } from './measure/storeSize.js';
import { StackUse } from './measure/use.js';
import { makePool, POOL } from './pool.js';
import { figuresText } from './shown.js';
import { type BenchStack, prepareStack, templatesIn } from './stack.js';
import { writeTemplates } from './templates.js';

/*
 * What is real: the command line, the supervisor, the servers (Temporal, SeaweedFS), the workers with all workflows and
 * activities, the pool's index, every table, commit, pin, checkpoint chain and record, and DuckDB. What is a stand-in,
 * of next to no cost:
 *
 * - networks: `standIns/scanPipeline.ts` gives each image the real analysis of one of 96 rendered cars, 8 % of them
 *   labelled wrong; `testImages.ts` does so for counts of test images; `sessions.ts` and `modelTrial.ts` open nothing;
 * - training: `trainerMain.ts` speaks the trainer's protocol, writes as many checkpoints, and trains nothing;
 * - pictures: images share 96 objects, so that a draw's HEAD requests are real. `derivative.ts` gives the same few
 *   bytes for each copy of a training image, and `imageSource.ts` does not compare digests. The scan writes no copies.
 *
 * Workers load them in place of the modules of the same names (`standIns/hooks.ts`); the product knows nothing of them.
 */

const LOOP = 'scale';
const TOLD_EVERY_MS = 60_000;
const MOST = 10_000_000;

interface Options extends ScaleOptions {
  json?: string;
  home?: string;
  keep?: true;
}

/** `npm run bench -- scale`: the cost of everything but networks and training, at the size of a large pool. */
export function scaleCommand(): Command {
  const count = wholeNumberBetween(1, MOST);
  return new Command('scale')
    .description('Whole iterations over a large pool, with stand-ins for networks and training')
    .option('--rows <n>', 'Training images of the pool', count, 750_000)
    .option('--iterations <n>', 'Iterations', count, 13)
    .option('--chunk <n>', 'Images of an iteration', count, 57_700)
    .option('--json <file>', 'Write all figures there')
    .option('--home <folder>', 'Folder of the stack; it is emptied first')
    .option('--keep', 'Leave the stack running')
    .action(measure);
}

async function measure({ json, home, keep, ...asked }: Options): Promise<void> {
  const results = partloopHome();
  const folder = resolve(home ?? join(results, 'bench', 'scale', 'home'));
  const machine = describeMachine(ROOT);
  printLine(machineLine(machine));
  const stack = await prepareStack(folder);
  const signal = interruption();
  await stack.partloop(['down']).catch(() => undefined);
  await rm(folder, { recursive: true, force: true });
  await prepareStack(folder);
  const use = new StackUse(folder);
  try {
    const figures = { asked, machine, ...(await runLoop(stack, asked, use, signal)) };
    printText(figuresText(figures));
    const text = `${JSON.stringify(figures, null, 1)}\n`;
    if (json !== undefined) await writeFile(json, text);
    printLine(await writeResults(results, 'scale', 'latest', figures));
    const broken = claimsOf(figures).filter(({ holds }) => !holds);
    if (broken.length > 0)
      throw new PartloopError('data-invalid', `short: ${broken.map(({ claim }) => claim).join('; ')}`);
  } finally {
    use.end();
    if (keep !== true) await stack.partloop(['down']);
  }
}

async function tellProgress(store: ObjectStore): Promise<void> {
  const state = await readLoopState(store, LOOP).catch(() => null);
  say(`loop: iterations recorded: ${state?.iterations.length ?? 0}`);
}

/** Training images that the loop could draw next, as the draw itself counts, and those that it must not. */
async function countLeft(store: ObjectStore, state: LoopState): Promise<Pick<ScaleFigures, 'copies' | 'left'>> {
  const drawn = state.iterations.at(-1)?.current.results.draw;
  const outputOfDraw = (name: 'drawn' | 'missing'): string => (drawn === undefined ? '' : outputOf(drawn, name));
  const { images } = await readJson(store, outputOfDraw('drawn'), drawnSchema);
  const { testCopies } = await readJson(store, outputOfDraw('missing'), testCopiesSchema);
  const copies = new Set(testCopies.map(({ imageId }) => imageId));
  const pool = await openPool(store, POOL);
  const columns = await pool.readDrawColumns(await pool.latestVersion());
  return { copies: copies.size, left: countUndrawn(columns, new Set(images), copies) };
}

type Measured = Omit<ScaleFigures, 'asked' | 'machine'>;

async function runLoop(stack: BenchStack, asked: ScaleOptions, use: StackUse, signal: AbortSignal): Promise<Measured> {
  const templates = await writeTemplates(templatesIn(stack.home));
  await stack.partloop(['up', '--detach'], signal);
  const environment = await resolveEnvironment();
  const store = storeOf(environment);
  await makePool(store, asked.rows, templates, (done, total) => {
    signal.throwIfAborted();
    say(`pool: ${done} of ${total} images`);
  });
  const size = ['--chunk-size', String(asked.chunk), '--iterations', String(asked.iterations)];
  const told = setInterval(() => void tellProgress(store), TOLD_EVERY_MS);
  const start = ['loop', 'start', LOOP, '--pool', POOL, ...size, '--wait', '--json'];
  const peakMegabytes = await stack.partloop(start, signal).finally(() => clearInterval(told));
  use.note('command line', { peakMegabytes, coreSeconds: 0 });
  use.look();
  const client = await connect(environment);
  try {
    const state = await readLoopState(store, LOOP);
    const runs = await readRuns(client);
    const chunks = state.iterations.flatMap(({ current }) => current.results.draw?.outputs.chunk ?? []);
    const drawn = await countDrawn(store, chunks);
    return {
      costs: iterationCosts(state, runs, (from, to) => use.coreSeconds(from, to)),
      runs: runs.map(({ startedAt: _, endedAt: __, activities: ___, ...run }) => run),
      store: await storeSize(store),
      processes: use.processes,
      drawn,
      ...(await countLeft(store, state)),
    };
  } finally {
    await client.connection.close();
  }
}
