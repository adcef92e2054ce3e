import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { storeOf } from '../../cli/environment.js';
import { resizeNearest } from '../../domain/geometry/resize.js';
import { dsmlr18 } from '../../domain/taxonomies/dsmlr18.js';
import { readCoco } from '../../formats/coco/import.js';
import type { ImportItem } from '../../formats/reading/importItem.js';
import type { StackEnvironment } from '../../infra/environment.js';
import { importImages } from '../../pool/import/importImages.js';
import { encodeLabel } from '../../storage/pictures/labelMask.js';

/** The training photos of DSMLR's car parts below `PARTLOOP_SHARED`; null if they are not. */
export function photoFolder(): string | null {
  const folder = join(process.env.PARTLOOP_SHARED ?? join('..', 'shared', 'data'), 'dsmlr-car-parts', 'trainingset');
  return existsSync(folder) ? folder : null;
}

export async function* readPhotos(folder: string): AsyncGenerator<ImportItem> {
  const annotations = join(folder, 'annotations.json');
  const place = join(folder, 'JPEGImages');
  for await (const entry of readCoco({ place, annotations, taxonomy: dsmlr18, followLinks: false }))
    if ('image' in entry) yield entry;
}

/**
 * The photos with `size` pixels on their longest side, as files for peers and as a pool in the stack's store, so that
 * every path reads the same bytes. Done again only where they are not there.
 */
export async function preparePhotos(
  env: StackEnvironment,
  photos: string,
  size: number,
): Promise<{ pool: string; folder: string }> {
  const pool = `bench-scan-${size}`;
  const folder = join(env.home, 'bench', 'photos', String(size));
  await mkdir(join(folder, 'images'), { recursive: true });
  await mkdir(join(folder, 'labels'), { recursive: true });
  await importImages(storeOf(env), pool, dsmlr18, resized(photos, folder, size), {
    test: false,
    onProgress: () => {},
    now: new Date(),
  });
  return { pool, folder };
}

async function* resized(photos: string, folder: string, size: number): AsyncGenerator<ImportItem> {
  for await (const item of readPhotos(photos)) {
    if (item.image.kind !== 'bytes') continue;
    const source = await item.image.read();
    const { width, height } = await sharp(source).metadata();
    const scale = size / Math.max(width, height);
    const [toWidth, toHeight] = [Math.round(width * scale), Math.round(height * scale)];
    const bytes =
      scale === 1
        ? source
        : await sharp(source).resize(toWidth, toHeight, { fit: 'fill' }).jpeg({ quality: 92 }).toBuffer();
    const label = resizeNearest((await item.label({ width, height })).pixels, width, height, toWidth, toHeight);
    const name = item.fileName.replaceAll('/', '-');
    await writeFile(join(folder, 'images', name), bytes);
    await writeFile(join(folder, 'labels', `${name}.png`), await encodeLabel(label, toWidth, toHeight));
    yield {
      ...item,
      facts: { ...item.facts, split: 'train' },
      image: { kind: 'bytes', read: async () => bytes },
      label: async () => ({ pixels: label, notes: [] }),
    };
  }
}
