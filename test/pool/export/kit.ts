import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import sharp from 'sharp';
import type { MakeDatasetWriter } from '../../../formats/dataset.js';
import { type ImageFacts, type ImportItem, NO_FACTS } from '../../../formats/reading/importItem.js';
import { exportPool, type PoolExportReport, type PoolExportRequest } from '../../../pool/export/exportPool.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { picture, runImport } from '../../support/pictures/pictures.js';
import { type MemoryStore, memoryStore } from '../../support/standIns/memoryStore.js';

export const WIDTH = 24;
export const HEIGHT = 16;

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Label values by what `value` says of each pixel. */
export const raster = (value: (x: number, y: number) => number, width = WIDTH, height = HEIGHT): Uint8Array =>
  Uint8Array.from({ length: width * height }, (_, at) => value(at % width, Math.floor(at / width)));

/** A wheel with a hole in a hood, pixels that touch by a corner, and ignored ones inside and at the edge. */
export const holed = raster((x, y) => {
  if (x === 0 || (x === 20 && y === 3)) return 255;
  if (x > 4 && x < 12 && y > 4 && y < 12) return x > 6 && x < 10 && y > 6 && y < 10 ? 0 : 2;
  return (x === 22 && y === 10) || (x === 23 && y === 11) ? 3 : y < 13 ? 1 : 0;
});

export function item(seed: number, pixels: Uint8Array, facts: Partial<ImageFacts> = {}): ImportItem {
  return {
    fileName: `front/${seed}.jpg`,
    image: { kind: 'bytes', read: () => picture(seed) },
    label: async () => ({ pixels, notes: [] }),
    facts: { ...NO_FACTS, split: 'train', ...facts },
  };
}

/** Red at the left upper quarter, blue elsewhere, as it is shown; EXIF says that it is stored on its side. */
export async function turnedPicture(kind: 'jpeg' | 'png'): Promise<Buffer> {
  const shown = raster((x, y) => (x < WIDTH / 2 && y < HEIGHT / 2 ? 1 : 0));
  const pixels = Uint8Array.from([...shown].flatMap((value) => (value === 1 ? [250, 0, 0] : [0, 0, 250])));
  // Orientation 6 is turned clockwise when it is shown.
  const stored = sharp(pixels, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } }).rotate(-90);
  return stored.withMetadata({ orientation: 6 }).toFormat(kind, { quality: 100 }).toBuffer();
}

/** Images as an export must say each of their pixels. */
export const labels = fc.uint8Array({ minLength: WIDTH * HEIGHT, maxLength: WIDTH * HEIGHT }).map((values) => {
  // At least one pixel of a class: else a label is ignored everywhere, or shows nothing.
  const pixels = values.map((value) => ([0, 0, 1, 2, 3, 255] as const)[value % 6] ?? 0);
  pixels[0] = 1;
  return pixels;
});

export async function poolOf(items: readonly ImportItem[]): Promise<MemoryStore> {
  const store = memoryStore();
  const { refused } = await runImport(store, items);
  if (refused.length > 0) throw new Error(JSON.stringify(refused));
  return store;
}

export function exportCars(
  store: ObjectStore,
  out: string,
  makeWriter: MakeDatasetWriter,
  changes: Partial<PoolExportRequest> = {},
): Promise<PoolExportReport> {
  const request = { pool: 'cars', format: 'coco', out, split: null, images: 'copy' } as const;
  const now = new Date('2026-01-01T00:00:00Z');
  return exportPool(store, { ...request, now, onProgress: () => undefined, ...changes }, makeWriter);
}

/** A folder of each test's own, for the `describe` that calls this. */
export function folderPerTest(): { path: string } {
  const folder = { path: '' };
  beforeEach(async () => {
    folder.path = await mkdtemp(join(tmpdir(), 'pl-export-'));
  });
  afterEach(() => rm(folder.path, { recursive: true, force: true }));
  return folder;
}
