import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PartloopError } from '../../domain/base/errors.js';
import type { TrainConfig } from '../../domain/config.js';
import { allowedLeftOut, type LeftOut, tooManyLeftOut } from '../../domain/images/leftOut.js';
import type { IndexRow } from '../../domain/tables.js';
import type { Taxonomy } from '../../domain/taxonomy.js';
import { derivativeSide } from '../../domain/train/derivativeSide.js';
import { trainerJob } from '../../domain/train/job.js';
import { digestOf, digestOfTaxonomy } from '../../storage/digest.js';
import { type SyncOptions, syncDataset, writeList } from '../data/dataset.js';
import { localWeights } from '../jobFile.js';
import { runTrainer, trainerPython } from '../process/process.js';
import { trainerFailure } from '../process/trainerEnd.js';

const STALL_MS = 30 * 60_000;
/** Nothing is saved, so no wait is needed. */
const GRACE_MS = 5_000;

export interface LrRangeRequest extends Omit<SyncOptions, 'side' | 'classes' | 'used'> {
  root: string;
  rows: readonly IndexRow[];
  taxonomy: Taxonomy;
  config: TrainConfig;
  /** Share of the images that may be left out. */
  badImageShare: number;
  /** Steps, each at a higher rate than the one before. */
  iterations: number;
  seed: number;
  onStep(done: number, loss: number): void;
}

export interface LrRange {
  /** Head rate at which the loss falls fastest; null if it never falls. */
  suggested: number | null;
  points: { rate: number; loss: number }[];
  /** Images that could not be used. */
  leftOut: LeftOut[];
}

/**
 * The learning rate range test over images of a pool: the rates of all parts rise together from a thousandth to a
 * hundred times the configured ones. Leaves only the cache of images behind.
 *
 * @throws PartloopError as a training does
 */
export async function findLearningRate(request: LrRangeRequest): Promise<LrRange> {
  const { store, pool, home, rows, taxonomy, config, signal } = request;
  const folder = join(home, 'work', `lr-find-${process.pid}`);
  await mkdir(folder, { recursive: true });
  try {
    const list = join(folder, 'train.jsonl');
    const { onProgress } = request;
    const side = derivativeSide(config.imageSize);
    const classes = taxonomy.classes.length;
    const dataset = await syncDataset(rows, { store, pool, home, side, classes, signal, onProgress });
    const { badImageShare: share } = request;
    if (dataset.leftOut.length > allowedLeftOut(rows.length, share)) {
      const path = join(home, 'work', 'lr-find-left-out.json');
      await writeFile(path, JSON.stringify(dataset.leftOut, null, 1));
      throw tooManyLeftOut(dataset.leftOut, { images: rows.length, share, what: 'training', pool }, path);
    }
    await writeList(list, dataset);
    const job = trainerJob({
      config: { ...config, iterations: request.iterations },
      taxonomy,
      taxonomyDigest: digestOfTaxonomy(taxonomy),
      trainingSetDigest: digestOf(rows.map((row) => [row.imageId, row.labelSha256])),
      seed: request.seed,
      validationSize: config.imageSize,
      attempt: 'lr-find',
      workDir: folder,
      train: list,
      val: null,
      weights: await localWeights(store, config.weights, folder),
    });
    await writeFile(join(folder, 'job.json'), JSON.stringify({ ...job, progressEvery: 1 }));
    let found: Omit<LrRange, 'leftOut'> | null = null;
    const end = await runTrainer({
      command: 'lr-range',
      python: await trainerPython(request.root),
      packageRoot: join(request.root, 'trainer'),
      job: join(folder, 'job.json'),
      cwd: folder,
      network: config.weights === 'hub',
      stallMs: STALL_MS,
      graceMs: GRACE_MS,
      signal,
      onMessage: (message) => {
        if (message.type === 'progress') request.onStep(message.iteration, message.loss);
        if (message.type === 'lr-range') {
          found = {
            suggested: message.suggestedLrHead,
            points: message.points.map(([rate, loss]) => ({ rate, loss })),
          };
        }
      },
    });
    signal.throwIfAborted();
    const failure = trainerFailure(end);
    if (failure !== null) throw failure;
    if (found === null) {
      throw new PartloopError('trainer-failed', 'the trainer ended without the answer of the range test', {
        hint: 'Trainer and partloop do not match; run `npm run bootstrap`.',
      });
    }
    const range: Omit<LrRange, 'leftOut'> = found;
    return { ...range, leftOut: dataset.leftOut };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
