import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { counted } from '../../domain/base/counted.js';
import { PartloopError } from '../../domain/base/errors.js';
import { resolveConfig, startLoopRequestSchema } from '../../domain/loop/startRequest.js';
import { ROOT } from '../../infra/home.js';
import { drawImages } from '../../pool/drawImages.js';
import { learningRateChart } from '../../report/learningRates.js';
import { openPool } from '../../storage/pool/pool.js';
import { findLearningRate } from '../../training/settings/lrRange.js';
import { openEnvironmentStore } from '../environment.js';
import { name, requestFrom, settingsFrom, wholeNumberBetween } from '../options.js';
import { stoppable } from '../terminal/interrupt.js';
import { printJson, printTable, say } from '../terminal/output.js';

const ITERATIONS = 100;
const IMAGES = 200;
/** Largest useful number of points. */
const MAX_ITERATIONS = 10_000;
const MAX_IMAGES = 1_000_000;
const MAX_SEED = 2 ** 31 - 1;

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
    .description('Try settings of the training before a loop starts')
    .command('lr-find')
    .description(
      'Find the learning rate for a pool: train a few steps at rising rates, and plot the loss (nothing is saved)',
    )
    .requiredOption('--pool <pool>', 'The pool whose images to train on', name)
    .option('--images <n>', 'Images drawn at random from the pool', wholeNumberBetween(1, MAX_IMAGES), IMAGES)
    .option(
      '--iterations <n>',
      'Training steps, each at a higher rate',
      wholeNumberBetween(2, MAX_ITERATIONS),
      ITERATIONS,
    )
    .option('--seed <n>', 'Seed of every random choice', wholeNumberBetween(0, MAX_SEED))
    .option('--set <path=value...>', 'Settings of the loop, e.g. --set train.preset=swin_tiny')
    .option('--out <file>', 'Where to write the plot', 'lr-find.svg')
    .option('--json', 'Print one JSON object on stdout')
    .action(lrFind);
}

async function lrFind(options: Options): Promise<void> {
  const settings = settingsFrom({ set: options.set, fields: { pool: options.pool }, shortFor: { pool: 'pool' } });
  const request = requestFrom(startLoopRequestSchema, { pool: options.pool, ...settings });
  const { env, store } = await openEnvironmentStore();
  const pool = await openPool(store, options.pool);
  const config = resolveConfig(request, pool.name, pool.defaults);
  const { iterations } = options;
  const seed = options.seed ?? config.seed;
  const drawing = { drawnBefore: new Set<string>(), chunkSize: options.images, seed, iteration: 0 };
  const { rows } = await drawImages(pool, await pool.latestVersion(), drawing, { store });
  if (rows.length === 0) {
    throw new PartloopError('pool-exhausted', `pool \`${pool.name}\` has no image to train on`, {
      hint: `\`partloop pool stats ${pool.name}\` shows its images.`,
    });
  }
  const batch = counted(config.train.batchSize, 'image', 'images');
  say(
    `${counted(rows.length, 'image', 'images')} of ${pool.name}, ${counted(iterations, 'step', 'steps')} of ${batch}`,
  );
  let steps = 0;
  const parting = (): string[] => [
    `Stopped after ${steps} of ${counted(iterations, 'step', 'steps')}; no plot was written, and nothing was changed.`,
  ];
  const found = await stoppable(parting, (signal) =>
    findLearningRate({
      store,
      pool: pool.name,
      home: resolve(env.home),
      root: ROOT,
      rows,
      taxonomy: pool.taxonomy,
      config: config.train,
      badImageShare: config.badImageShare,
      iterations,
      seed,
      signal,
      onProgress: () => undefined,
      onStep: (done, loss) => {
        steps = done;
        if (done % 10 === 0) say(`step ${done} of ${iterations}, loss ${loss.toFixed(3)}`);
      },
    }),
  );
  for (const { fileName, kind, reason } of found.leftOut) say(`  left out ${fileName}: ${kind}: ${reason}`);
  await writeFile(options.out, learningRateChart(found.points, found.suggested));
  const { lrHead, lrBackbone } = config.train;
  const suggestion =
    found.suggested === null
      ? null
      : { lrHead: rounded(found.suggested), lrBackbone: rounded((found.suggested * lrBackbone) / lrHead) };
  if (options.json === true) {
    printJson({ pool: pool.name, images: rows.length, configured: { lrHead, lrBackbone }, suggestion, ...found });
  } else if (suggestion === null) {
    say('The loss never fell: take more steps, or look at the images and labels.');
  } else {
    printTable([
      { setting: 'train.lrHead', configured: lrHead, 'steepest fall': suggestion.lrHead },
      { setting: 'train.lrBackbone', configured: lrBackbone, 'steepest fall': suggestion.lrBackbone },
    ]);
  }
  say(`plot: ${options.out}`);
}

const rounded = (rate: number): number => Number(rate.toPrecision(2));
