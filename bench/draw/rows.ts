import { createHash } from 'node:crypto';
import { seededRandom } from '../../domain/base/random.js';
import { type IndexRow, indexRowSchema } from '../../domain/tables.js';

/**
 * How perceptual hashes are spread: evenly over all values, or as of pictures of one scene, in which few bits differ.
 */
export type Spread = 'even' | 'crowded';

/** Number of bits of a crowded hash that vary freely; the others vary seldom. */
const FREE_BITS = 20;
const SELDOM = 0.03;
const PICTURES_PER_VEHICLE = 3;

/** Index rows as an import of clients' photos makes them: every twentieth is a test image. */
export function poolRows(from: number, count: number, spread: Spread): IndexRow[] {
  return Array.from({ length: count }, (_, at) => {
    const number = from + at;
    const imageId = createHash('sha256').update(`image ${number}`).digest('hex');
    const labelSha256 = createHash('sha256').update(`label ${number}`).digest('hex');
    return indexRowSchema.parse({
      imageId,
      fileName: `client-${number % 97}/${number}.jpg`,
      imageUri: `pools/bench/images/${imageId}`,
      imageEtag: null,
      imageVersion: null,
      labelUri: `pools/bench/labels/${labelSha256}`,
      labelSha256,
      width: 1_280,
      height: 960,
      tagOrigins: '{}',
      vehicleId: `vehicle-${Math.floor(number / PICTURES_PER_VEHICLE)}`,
      source: 'client',
      split: Math.floor(number / PICTURES_PER_VEHICLE) % 20 === 0 ? 'test' : 'train',
      perceptualHash: hashOf(number, spread),
      classes: [1, 2, 3, 5, 8, 13, 21],
      labelRevision: 0,
      ingestedAt: '2026-01-01T00:00:00.000Z',
    });
  });
}

function hashOf(number: number, spread: Spread): string {
  if (spread === 'even') return createHash('sha256').update(`hash ${number}`).digest('hex').slice(0, 16);
  const random = seededRandom('crowded hash', number);
  let hash = 0n;
  for (let bit = 0; bit < 64; bit++) hash = (hash << 1n) | (random() < (bit < FREE_BITS ? 0.5 : SELDOM) ? 1n : 0n);
  return hash.toString(16).padStart(16, '0');
}
