import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { findLearningRate } from '../../activities/trainer/lrRange.js';
import { learningRateChart } from '../../board/report/learningRates.js';
import { drawChunk } from '../../domain/draw/drawChunk.js';
import { parseRequest, resolveConfig, startLoopRequestSchema } from '../../domain/messages.js';
import { ROOT } from '../../infra/home.js';
import { openPool } from '../../storage/pool.js';
import { openEnvironmentStore } from '../environment.js';
import { number, settingsFrom } from '../options.js';
import { EXIT_INTERRUPTED, printJson, printTable, say } from '../output.js';

const ITERATIONS = 100;
const IMAGES = 200;
/** More points than this show nothing more. */
const MAX_ITERATIONS = 10_000;

interface Options {
  pool: string;
  images: number;
  iterations: number;
  seed?: number;
  set?: unknown;
  out: string;
  json?: true;
}

/** `partloop train lr-find`. */
export function register(program: Command): void {
  program
    .command('train')
    .description('Try settings of the training before a loop is started')
    .command('lr-find')
    .description('Raise the learning rate step by step and plot the loss: which rates these images bear')
    .requiredOption('--pool <pool>', 'The pool whose images to train on')
    .option('--images <n>', 'Images drawn at random from it', number, IMAGES)
    .option('--iterations <n>', 'Steps, each at a higher rate', number, ITERATIONS)
    .option('--seed <n>', 'Seed of every random choice', number)
    .option('--set <path=value...>', 'Settings of the loop, e.g. --set train.preset=swin_tiny')
    .option('--out <file>', 'The plot', 'lr-find.svg')
    .option('--json', 'Print one JSON object on stdout')
    .action(lrFind);
}

async function lrFind(options: Options): Promise<void> {
  const { env, store } = await openEnvironmentStore();
  const pool = await openPool(store, options.pool);
  const request = parseRequest(startLoopRequestSchema, { pool: pool.name, ...settingsFrom(options.set) }, '`lr-find`');
  const config = resolveConfig(request, pool.name, pool.defaults);
  const iterations = Math.min(MAX_ITERATIONS, Math.max(2, Math.round(options.iterations)));
  const seed = options.seed ?? config.seed;
  const { rows } = drawChunk({
    index: await pool.readIndex(await pool.latestVersion()),
    drawnBefore: new Set(),
    chunkSize: Math.max(1, Math.round(options.images)),
    seed,
    iteration: 0,
    pool: pool.name,
  });
  const abort = new AbortController();
  const interrupt = (): void => abort.abort();
  process.once('SIGINT', interrupt);
  try {
    say(`${rows.length} images of ${pool.name}, ${iterations} steps of ${config.train.batchSize} images`);
    const found = await findLearningRate({
      store,
      pool: pool.name,
      home: resolve(env.home),
      root: ROOT,
      rows,
      taxonomy: pool.taxonomy,
      config: config.train,
      iterations,
      seed,
      signal: abort.signal,
      onProgress: () => undefined,
      onStep: (done, loss) => {
        if (done % 10 === 0) say(`step ${done} of ${iterations}, loss ${loss.toFixed(3)}`);
      },
    });
    await writeFile(options.out, learningRateChart(found.points, found.suggested));
    const { lrHead, lrBackbone } = config.train;
    const suggestion =
      found.suggested === null
        ? null
        : { lrHead: rounded(found.suggested), lrBackbone: rounded((found.suggested * lrBackbone) / lrHead) };
    if (options.json === true) {
      printJson({ pool: pool.name, images: rows.length, configured: { lrHead, lrBackbone }, suggestion, ...found });
    } else if (suggestion === null) {
      say('The loss never fell: more steps, or look at the images and labels.');
    } else {
      printTable([
        { setting: 'train.lrHead', configured: lrHead, 'steepest fall': suggestion.lrHead },
        { setting: 'train.lrBackbone', configured: lrBackbone, 'steepest fall': suggestion.lrBackbone },
      ]);
    }
    say(`plot: ${options.out}`);
  } catch (error) {
    if (!abort.signal.aborted) throw error;
    process.exitCode = EXIT_INTERRUPTED;
  } finally {
    process.removeListener('SIGINT', interrupt);
  }
}

const rounded = (rate: number): number => Number(rate.toPrecision(2));
