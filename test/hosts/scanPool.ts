import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { indexRowSchema } from '../../domain/tables.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { encodeLabel } from '../../storage/pictures/labelMask.js';
import { openPool } from '../../storage/pool/pool.js';
import { chunkRow } from '../domain/sample/rows.js';
import { givenCard } from '../support/models/givenModel.js';
import { writeTinyModel } from '../support/models/tinyModel.js';
import { TAXONOMY } from '../support/pictures/pictures.js';

export const POOL = 'cars';
const SIDE = 64;
const SEEN = 'models/training-list.json';
/** Makes a picture take some tenths of a second on any machine, so that shards last. */
const PRODUCTS = 16;

/** Fill a pool with pictures, some of which the label contradicts, and bring a slow model that judges them. */
export async function fillScanPool(
  store: ObjectStore,
  images: number,
  folder: string,
): Promise<{ scan: string; card: string }> {
  await store.put(keys.taxonomy(POOL), JSON.stringify(TAXONOMY));
  const rows = await Promise.all(
    Array.from({ length: images }, async (_, n) => {
      const seen = 1 + (n % 3);
      const given = n % 5 === 0 ? 1 + (seen % 3) : seen;
      const inside = (at: number): boolean => at % SIDE < 20 + (n % 9) && at < SIDE * (30 + n / 4);
      const pixels = Uint8Array.from({ length: SIDE * SIDE }, (__, at) => (inside(at) ? 1 : 0));
      const label = await encodeLabel(
        pixels.map((value) => value * given),
        SIDE,
        SIDE,
      );
      const rgb = Uint8Array.from({ length: SIDE * SIDE * 3 }, (__, at) => {
        const isInside = pixels[Math.floor(at / 3)] === 1;
        return [isInside ? seen : 0, isInside ? 230 : 250, n][at % 3] as number;
      });
      const image = await sharp(rgb, { raw: { width: SIDE, height: SIDE, channels: 3 } })
        .png()
        .toBuffer();
      const [imageId, labelSha256] = [sha256(image), sha256(label)];
      const imageUri = keys.image(POOL, imageId);
      const labelUri = keys.label(POOL, labelSha256);
      await store.put(imageUri, image);
      await store.put(labelUri, label);
      const known = { imageId, imageUri, labelUri, labelSha256, fileName: `${n}.png`, width: SIDE, height: SIDE };
      return indexRowSchema.parse({ ...chunkRow(n, known), split: 'train' });
    }),
  );
  const pool = await openPool(store, POOL);
  await pool.append(() => rows);
  const network = await readFile(await writeTinyModel(join(folder, 'scan.onnx'), { size: SIDE, products: PRODUCTS }));
  const model = { scan: 'models/scan.onnx', card: 'models/model.json' };
  await store.put(model.scan, network);
  const card = givenCard(pool.taxonomy, SIDE, sha256(network));
  // It has learnt from no image, so that it may judge all of them.
  await store.put(SEEN, JSON.stringify({ images: [] }));
  await store.put(model.card, JSON.stringify({ ...card, trainedOn: { ...card.trainedOn, list: SEEN } }));
  return model;
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
