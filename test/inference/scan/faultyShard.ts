import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { loopConfigSchema } from '../../../domain/config.js';
import { scanPlanSchema } from '../../../domain/scan/judge/plan.js';
import { type ChunkRow, chunkRowSchema, indexRowSchema } from '../../../domain/tables.js';
import type { ScanSetup } from '../../../inference/scan/scanSetup.js';
import { keys } from '../../../storage/keys.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { encodeLabel } from '../../../storage/pictures/labelMask.js';
import { openPool } from '../../../storage/pool/pool.js';
import { writeTable } from '../../../storage/tables/table.js';
import { chunkRow } from '../../domain/sample/rows.js';
import { givenCard } from '../../support/models/givenModel.js';
import { type Fault, faultyPicture } from '../../support/models/tinyModel.js';
import { TAXONOMY } from '../../support/pictures/pictures.js';

export const SIDE = 64;
/** Longer than these networks need for a picture, on a busy machine too. */
export const STALL_SECONDS = 4;
const PLAN = 'loops/cars/1/plan/abc/plan.json';
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/**
 * A pool, a plan of one shard with one picture for each of `faults`, and the model in `modelPath` that judges it; the
 * pictures are test images as well.
 */
export async function storeShard(
  store: ObjectStore,
  modelPath: string,
  faults: readonly Fault[],
): Promise<{ input: ScanSetup & { shard: number }; rows: ChunkRow[]; key: string }> {
  const label = await encodeLabel(
    Uint8Array.from({ length: SIDE * SIDE }, (_, at) => (at % SIDE < SIDE / 2 ? 1 : 0)),
    SIDE,
    SIDE,
  );
  await store.put('labels/1', label);
  const rows: ChunkRow[] = [];
  for (const [n, fault] of faults.entries()) {
    const image = await sharp(faultyPicture(SIDE, fault, n), { raw: { width: SIDE, height: SIDE, channels: 3 } })
      .png()
      .toBuffer();
    const known = { imageId: sha256(image), imageUri: `images/${n}`, labelUri: 'labels/1', labelSha256: sha256(label) };
    rows.push(chunkRow(n, { fileName: `${fault}-${n}.png`, width: SIDE, height: SIDE, ...known }));
    await store.put(`images/${n}`, image);
  }
  await store.put(keys.taxonomy('cars'), JSON.stringify(TAXONOMY));
  const pool = await openPool(store, 'cars');
  const { taxonomy } = pool;
  await pool.append(() => rows.map((row) => indexRowSchema.parse({ ...row, split: 'test' })));
  const model = await readFile(modelPath);
  const digest = sha256(model);
  await store.put('models/scan.onnx', model);
  await store.put('models/model.json', JSON.stringify(givenCard(taxonomy, SIDE, digest)));
  await writeTable(store, 'rows-0.parquet', rows, chunkRowSchema);
  const plan = scanPlanSchema.parse({
    version: 1,
    poolVersion: 1,
    folds: [],
    judges: [{ kind: 'model', name: 'faulty', scanKey: 'models/scan.onnx', cardKey: 'models/model.json' }],
    shards: [{ shard: 0, judge: 0, rows: 'rows-0.parquet', images: rows.length }],
    unjudged: [],
  });
  await store.put(PLAN, JSON.stringify(plan));
  const config = loopConfigSchema.parse({
    pool: 'cars',
    scan: { sessions: 2 },
    durability: { inferenceStallSeconds: STALL_SECONDS },
  });
  const context = { loop: 'cars', iteration: 1, config, previous: null, force: null };
  return { input: { context, planKey: PLAN, folds: [], shard: 0 }, rows, key: digest };
}
