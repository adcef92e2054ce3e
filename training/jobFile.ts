import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PartloopError } from '../domain/base/errors.js';
import { type TrainerJob, trainerJob } from '../domain/train/job.js';
import type { ActivityDeps } from '../steps/deps.js';
import type { Attempt } from '../steps/runStep.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';
import { writeList } from './data/dataset.js';
import type { TrainingData } from './data/trainingData.js';
import type { TrainingRun } from './trainingRun.js';

/** After an end without a checkpoint, checkpoints are written more often by this factor. */
const SOONER = 10;

/** Write `job.json` and its lists into a folder. `savesMore`: an earlier attempt ended without a checkpoint. */
export async function writeJob(
  deps: ActivityDeps,
  { run, train, val }: TrainingData,
  attempt: Attempt,
  folder: string,
  savesMore: boolean,
): Promise<TrainerJob> {
  const lists = { train: join(folder, 'train.jsonl'), val: join(folder, 'val.jsonl') };
  await writeList(lists.train, train);
  if (val !== null) await writeList(lists.val, val);
  const job = trainerJob({
    config: run.config,
    taxonomy: run.taxonomy,
    taxonomyDigest: run.taxonomyDigest,
    trainingSetDigest: run.trainingSetDigest,
    seed: run.seed,
    validationSize: run.evaluationSize,
    attempt: attempt.token,
    workDir: folder,
    train: lists.train,
    val: val !== null && val.lines.length > 0 ? lists.val : null,
    weights: await localWeights(deps.store, run.config.weights, folder),
    warmStart: await localWarmStart(deps.store, run, folder),
    stopAfter: run.stopAfter ?? null,
  });
  // No influence on the weights: after an end without a checkpoint the next one comes sooner.
  const { settings } = job;
  if (savesMore) settings.checkpointEvery = Math.max(1, Math.floor(settings.checkpointEvery / SOONER));
  await writeFile(join(folder, 'job.json'), JSON.stringify(job, null, 1));
  return job;
}

/** Backbone weights in the trainer's form; an object of our store is copied to this disk. */
export async function localWeights(store: ObjectStore, weights: string, folder: string): Promise<string> {
  if (!weights.startsWith('s3://')) return weights.startsWith('.') ? resolve(weights) : weights;
  const prefix = `${store.uri.replace(/\/$/, '')}/`;
  if (!weights.startsWith(prefix)) {
    throw new PartloopError('config-invalid', `the weights ${weights} are outside the store ${store.uri}`, {
      hint: 'Copy the file into the store, or name a file on the disk of the training machine.',
    });
  }
  const path = join(folder, 'backbone-weights.pth');
  await store.getFile(weights.slice(prefix.length), path);
  return path;
}

async function localWarmStart(store: ObjectStore, { warmStart }: TrainingRun, folder: string): Promise<string | null> {
  if (warmStart === null) return null;
  const path = join(folder, 'warm-start.pt');
  await store.getFile(warmStart.weights, path);
  return path;
}
