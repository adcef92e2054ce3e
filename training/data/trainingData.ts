import { resolve } from 'node:path';
import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import { type LeftOut, leftOutSchema } from '../../domain/images/leftOut.js';
import type { IndexRow } from '../../domain/tables.js';
import { derivativeSide } from '../../domain/train/derivativeSide.js';
import type { ActivityDeps } from '../../steps/deps.js';
import type { Heartbeat } from '../../steps/heartbeat.js';
import { refuseManyLeftOut } from '../../steps/manyLeftOut.js';
import { digestOf } from '../../storage/digest.js';
import { compareAndSwap } from '../../storage/objects/compareAndSwap.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { parseJson } from '../../storage/tables/json.js';
import { listDigest } from '../prepare.js';
import type { TrainingRun } from '../trainingRun.js';
import { type Dataset, dropCached, syncDataset } from './dataset.js';
import { trimCache } from './trimCache.js';

const recordSchema = z.object({ version: z.literal(1), images: z.array(leftOutSchema) });
const FETCHING = { train: 'fetching training images', val: 'fetching validation images' } as const;

export interface TrainingData {
  /** The run without the images that are left out: the images that are really used. */
  run: TrainingRun;
  train: Dataset;
  /** null for a pool without validation images. */
  val: Dataset | null;
}

/**
 * Copy a run's images to this disk, and settle which are left out. Sample order is a function of the list, so the
 * record under `run.leftOutKey` decides for every attempt. An image that turns bad later is added to it, and the
 * training starts over under a new checkpoint chain. `reported`: images that the trainer refused.
 *
 * @throws PartloopError `data-invalid` if more are bad than the configuration allows
 */
export async function gatherTrainingData(
  deps: ActivityDeps,
  run: TrainingRun,
  beat: Heartbeat,
  reported: readonly LeftOut[] = [],
): Promise<TrainingData> {
  const { store } = deps;
  const used = new Set<string>();
  const sync = (rows: readonly IndexRow[], name: 'train' | 'val', side: number): Promise<Dataset> =>
    syncDataset(rows, {
      store,
      pool: run.pool,
      home: resolve(deps.home),
      side,
      classes: run.taxonomy.classes.length,
      used,
      signal: beat.signal,
      onProgress: (done, total) => beat.report({ phase: FETCHING[name], done, total, unit: 'images' }),
    });

  const { result } = await compareAndSwap(store, run.leftOutKey, {
    read: async () => {
      const found = await store.tryGet(run.leftOutKey);
      if (found === null) return { value: [], etag: null };
      return { value: parseJson(found.body, run.leftOutKey, recordSchema).images, etag: found.etag };
    },
    decide: async (known: readonly LeftOut[]) => {
      const leftOut = new Map([...known, ...reported].map((image) => [image.imageId, image]));
      const wanted = (rows: readonly IndexRow[]): IndexRow[] => rows.filter(({ imageId }) => !leftOut.has(imageId));
      const train = await sync(wanted(run.train), 'train', trainSide(run));
      const val = run.val.length === 0 ? null : await sync(wanted(run.val), 'val', valSide(run));
      await trimCache(resolve(deps.home), used);
      for (const image of [...train.leftOut, ...(val?.leftOut ?? [])]) leftOut.set(image.imageId, image);
      const actual = await without(store, run, leftOut);
      const body = leftOut.size === known.length ? null : recordOf([...leftOut.values()]);
      return { body, result: { run: actual, train, val } };
    },
  });
  return result;
}

const recordOf = (images: LeftOut[]): string =>
  JSON.stringify({ version: 1, images: images.sort((a, b) => (a.imageId < b.imageId ? -1 : 1)) }, null, 1);

/** Fetch images again at the next sync: a file that the trainer cannot read may be torn only on this disk. */
export async function fetchAgain(deps: ActivityDeps, run: TrainingRun, ids: ReadonlySet<string>): Promise<void> {
  const at = { home: resolve(deps.home), pool: run.pool };
  const named = (rows: readonly IndexRow[]): IndexRow[] => rows.filter(({ imageId }) => ids.has(imageId));
  await dropCached(named(run.train), { ...at, side: trainSide(run) });
  await dropCached(named(run.val), { ...at, side: valSide(run) });
}

const trainSide = ({ config }: TrainingRun): number => derivativeSide(config.imageSize);
/** The label's own grid counts: a copy at that size is made from the label, not from a smaller copy. */
const valSide = ({ config, evaluationSize }: TrainingRun): number => Math.max(config.imageSize, evaluationSize);

async function without(
  store: ObjectStore,
  run: TrainingRun,
  leftOut: ReadonlyMap<string, LeftOut>,
): Promise<TrainingRun> {
  if (leftOut.size === 0) return run;
  const { pool, badImageShare: share, warmStart } = run;
  const lost = (rows: readonly IndexRow[]): LeftOut[] => rows.flatMap(({ imageId }) => leftOut.get(imageId) ?? []);
  const kept = (rows: readonly IndexRow[]): IndexRow[] => rows.filter(({ imageId }) => !leftOut.has(imageId));
  const train = lost(run.train);
  const val = lost(run.val);
  // Beside the record and not in it: an image that is back in the next attempt is trained on.
  const listKey = run.leftOutKey.replace(/[^/]*$/, 'too-many.json');
  await refuseManyLeftOut(store, listKey, train, { images: run.train.length, share, what: 'training', pool });
  await refuseManyLeftOut(store, listKey, val, { images: run.val.length, share, what: 'validation', pool });
  if (train.length === run.train.length)
    throw new PartloopError('data-invalid', `all ${train.length} training images of pool \`${pool}\` are left out`);
  const seen = new Set(warmStart?.seen.map(({ imageId }) => imageId));
  const rows = kept(run.train);
  return {
    ...run,
    train: rows,
    val: kept(run.val),
    trainingSetDigest: listDigest(rows),
    list: { images: run.list.images.filter(({ imageId }) => !leftOut.has(imageId) || seen.has(imageId)) },
    leftOut: { train, val },
    // Checkpoints of another list are of another run.
    variant: digestOf([...leftOut.keys()].sort()),
    chainKey: keyWithout(run.chainKey, leftOut),
    unforcedChainKey: run.unforcedChainKey === null ? null : keyWithout(run.unforcedChainKey, leftOut),
  };
}

const keyWithout = (chainKey: string, leftOut: ReadonlyMap<string, LeftOut>): string =>
  chainKey.replace(/[^/]*$/, (name) => `without-${digestOf([...leftOut.keys()].sort()).slice(0, 16)}/${name}`);
