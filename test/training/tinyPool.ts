import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { type IndexRow, indexRowSchema } from '../../domain/tables.js';
import { taxonomySchema } from '../../domain/taxonomy.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';

export const POOL = 'tiny';

export const taxonomy = taxonomySchema.parse({
  name: 'two-sides',
  classes: [
    { name: 'left_door', group: 'major', mirror: 'right_door' },
    { name: 'right_door', group: 'major', mirror: 'left_door' },
  ],
});

/** A picture of 64 × 48 pixels with one square, put into the store; its index row. */
export async function tinyImage(store: ObjectStore, index: number): Promise<IndexRow> {
  const width = 64;
  const height = 48;
  const label = new Uint8Array(width * height);
  const rgb = new Uint8Array(width * height * 3).fill(40);
  for (let y = 8; y < 30; y++) {
    for (let x = 4 + index * 4; x < 24 + index * 4; x++) {
      label[y * width + x] = 1 + (index % 2);
      rgb[(y * width + x) * 3 + (index % 2)] = 200 + index;
    }
  }
  const image = await sharp(rgb, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
  const mask = await sharp(label, { raw: { width, height, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toBuffer();
  const imageId = createHash('sha256').update(image).digest('hex');
  const labelSha256 = createHash('sha256').update(mask).digest('hex');
  await store.put(keys.image(POOL, imageId), image);
  await store.put(keys.label(POOL, labelSha256), mask);
  return indexRowSchema.parse({
    imageId,
    fileName: `${index}.png`,
    imageUri: keys.image(POOL, imageId),
    imageEtag: null,
    imageVersion: null,
    labelUri: keys.label(POOL, labelSha256),
    labelSha256,
    width,
    height,
    tagOrigins: '{}',
    vehicleId: null,
    source: 'in-house',
    split: 'train',
    perceptualHash: '0'.repeat(16),
    classes: [1],
    labelRevision: 0,
    ingestedAt: '2026-01-01T00:00:00Z',
    change: 'import',
    changeId: null,
    removedAt: null,
  });
}
