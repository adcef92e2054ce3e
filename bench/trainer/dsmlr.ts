import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { storeOf } from '../../cli/environment.js';
import { say } from '../../cli/terminal/output.js';
import { PartloopError } from '../../domain/base/errors.js';
import type { IndexRow } from '../../domain/tables.js';
import { dsmlr18 } from '../../domain/taxonomies/dsmlr18.js';
import { derivativeSide } from '../../domain/train/derivativeSide.js';
import { readCoco } from '../../formats/coco/import.js';
import type { StackEnvironment } from '../../infra/environment.js';
import { importImages } from '../../pool/import/importImages.js';
import { digestOf } from '../../storage/digest.js';
import { openPool } from '../../storage/pool/pool.js';
import { syncDataset, writeList } from '../../training/data/dataset.js';

const POOL = 'bench-dsmlr';
/** Parts that the taxonomy counts as minor: mirrors and lights. */
export const MINOR_PARTS = dsmlr18.classes.filter(({ group }) => group === 'minor').map(({ name }) => name);

/** Lists that the trainer reads, of all 400 training photos and all 100 test photos, and the pool that holds them. */
export interface DsmlrLists {
  pool: string;
  poolVersion: number;
  taxonomyDigest: string;
  trainingSetDigest: string;
  train: string;
  test: string;
  images: { train: number; test: number };
}

/**
 * The DSMLR photos as a training activity would have them: imported into the stack's store, with copies made by the
 * scan's own rule, on this disk. Done again only if something is missing.
 *
 * @throws PartloopError `not-found` if the photos are not there
 */
export async function dsmlrLists(
  env: StackEnvironment,
  folder: string,
  { imageSize, grid }: { imageSize: number; grid: number },
): Promise<DsmlrLists> {
  const root = join(process.env.PARTLOOP_SHARED ?? join('..', 'shared', 'data'), 'dsmlr-car-parts');
  if (!existsSync(root)) {
    throw new PartloopError('not-found', 'the DSMLR photos are not there', {
      hint: 'Set PARTLOOP_SHARED to the folder that holds dsmlr-car-parts.',
    });
  }
  const store = storeOf(env);
  for (const set of ['trainingset', 'testset']) {
    say(`${set}: import …`);
    const items = readCoco({
      place: join(root, set, 'JPEGImages'),
      annotations: join(root, set, 'annotations.json'),
      taxonomy: dsmlr18,
      followLinks: false,
    });
    const options = { test: set === 'testset', onProgress: () => {}, now: new Date() };
    const { refused } = await importImages(store, POOL, dsmlr18, items, options);
    for (const { fileName, reason } of refused) say(`  ${fileName} is left out: ${reason}`);
  }
  const pool = await openPool(store, POOL);
  const poolVersion = await pool.latestVersion();
  const index = await pool.readIndex(poolVersion);
  const test = index.filter((row) => row.split === 'test');
  const train = index.filter((row) => row.split !== 'test');
  await mkdir(folder, { recursive: true });
  const list = async (rows: readonly IndexRow[], name: string, side: number): Promise<string> => {
    const path = join(folder, `${name}.jsonl`);
    const signal = new AbortController().signal;
    const classes = dsmlr18.classes.length;
    const options = { store, pool: POOL, home: env.home, side, classes, signal, onProgress: () => {} };
    await writeList(path, await syncDataset(rows, options));
    return path;
  };
  return {
    pool: POOL,
    poolVersion,
    taxonomyDigest: digestOf(dsmlr18),
    trainingSetDigest: digestOf(train.map((row) => [row.imageId, row.labelSha256])),
    train: await list(train, 'train', derivativeSide(imageSize)),
    test: await list(test, 'test', Math.max(imageSize, grid)),
    images: { train: train.length, test: test.length },
  };
}
