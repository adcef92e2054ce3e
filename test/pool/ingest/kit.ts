import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { DROP_MARKER } from '../../../domain/ingest/drop.js';
import type { Receipt } from '../../../domain/ingest/receipt.js';
import { type ImageFacts, type ImportItem, NO_FACTS } from '../../../formats/reading/importItem.js';
import { DECODE_HERE } from '../../../pool/import/decoder.js';
import { type DropOutcome, settleDrop } from '../../../pool/ingest/settleDrop.js';
import { keys } from '../../../storage/keys.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { mask, runImport } from '../../support/pictures/pictures.js';
import { memoryStore } from '../../support/standIns/memoryStore.js';
import { item, SIDE } from '../import/items.js';

export const POOL = 'cars';

/** A picture that looks like no other: random greys in a grid of the size that the perceptual hash sees. */
export function photo(seed: number): Promise<Buffer> {
  const greys = createHash('shake128', { outputLength: 72 }).update(`photo ${seed}`).digest();
  return sharp(greys, { raw: { width: 9, height: 8, channels: 1 } })
    .resize(SIDE.width, SIDE.height, { fit: 'fill', kernel: 'nearest' })
    .jpeg({ quality: 95 })
    .toBuffer();
}

/** A store with a pool of one training and one test image. */
export async function storeWithPool() {
  const store = memoryStore();
  await runImport(store, [ours(1, { ...NO_FACTS, vehicleId: 'v1', split: 'train' })]);
  await runImport(store, [ours(2, { ...NO_FACTS, vehicleId: 'v2' })], { test: true });
  return store;
}

/** An item of an import with such a picture. */
export const ours = (seed: number, facts: ImageFacts = NO_FACTS): ImportItem =>
  item(seed, 1, { image: { kind: 'bytes', read: () => photo(seed) }, facts });

export interface DropImage {
  seed: number;
  /** Value of the whole label. */
  value?: number;
  more?: Record<string, unknown>;
}

/** Write the files of a drop with index masks; its marker last, unless `marker` is null. */
export async function sendMasks(
  store: ObjectStore,
  drop: string,
  images: readonly DropImage[],
  { marker = '', extra = {} }: { marker?: string | null; extra?: Record<string, string | Uint8Array> } = {},
): Promise<void> {
  const lines: string[] = [];
  for (const { seed, value = 1, more } of images) {
    lines.push(JSON.stringify({ image: `images/${seed}.jpg`, label: `labels/${seed}.png`, ...more }));
    await put(store, drop, `images/${seed}.jpg`, await photo(seed));
    await put(store, drop, `labels/${seed}.png`, await mask(value));
  }
  await put(store, drop, 'manifest.jsonl', lines.join('\n'));
  for (const [path, body] of Object.entries(extra)) await put(store, drop, path, body);
  if (marker !== null) await put(store, drop, DROP_MARKER, marker);
}

export const put = async (store: ObjectStore, drop: string, path: string, body: string | Uint8Array): Promise<void> => {
  await store.put(`${keys.drop(POOL, drop)}${path}`, body);
};

export const settle = (store: ObjectStore, drop: string): Promise<DropOutcome> =>
  settleDrop(store, { pool: POOL, drop, decoder: DECODE_HERE, onProgress: () => undefined });

/** The receipt of a drop that is settled now. */
export async function receiptOf(store: ObjectStore, drop: string): Promise<Receipt> {
  const outcome = await settle(store, drop);
  if (outcome.kind !== 'settled') throw new Error(`drop ${drop} is ${JSON.stringify(outcome)}`);
  return outcome.receipt;
}

/** What a receipt says of entries, in the order of its fields. */
export const counts = (receipt: Receipt) => {
  const { added, replaced, updated, restored, known, removedEarlier, refused } = receipt;
  return { added, replaced, updated, restored, known, removedEarlier, refused };
};

export async function keysUnder(store: ObjectStore, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of store.list(prefix)) found.push(key.slice(prefix.length));
  return found;
}
