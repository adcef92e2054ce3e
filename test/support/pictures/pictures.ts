import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import type { Taxonomy } from '../../../domain/taxonomy.js';
import { parseTaxonomy } from '../../../domain/taxonomy.js';
import type { ImportEntry } from '../../../formats/reading/importItem.js';
import { importImages } from '../../../pool/import/importImages.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { encodeLabel } from '../../../storage/pictures/labelMask.js';

/** Label values 1 `hood`, 2 `wheel`, 3 `mirror`. */
export const TAXONOMY: Taxonomy = parseTaxonomy(
  {
    name: 'three',
    classes: [
      { name: 'hood', group: 'major' },
      { name: 'wheel', group: 'major' },
      { name: 'mirror', group: 'minor' },
    ],
  },
  'three',
);

/** A picture of noise that looks like that of no other seed. */
export async function picture(seed: number, width = 24, height = 16): Promise<Buffer> {
  const pixels = createHash('shake128', { outputLength: width * height * 3 })
    .update(`picture ${seed}`)
    .digest();
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 95 })
    .toBuffer();
}

export const mask = (value: number, width = 24, height = 16): Promise<Buffer> =>
  encodeLabel(new Uint8Array(width * height).fill(value), width, height);

export async function save(folder: string, name: string, body: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, body);
  return path;
}

export function runImport(
  store: ObjectStore,
  entries: AsyncIterable<ImportEntry> | Iterable<ImportEntry>,
  changes: { test?: boolean; relabel?: boolean; restore?: boolean; taxonomy?: Taxonomy } = {},
) {
  const { taxonomy = TAXONOMY, ...options } = changes;
  const now = new Date('2026-01-01T00:00:00Z');
  return importImages(store, 'cars', taxonomy, entries, { ...options, onProgress: () => undefined, now });
}
