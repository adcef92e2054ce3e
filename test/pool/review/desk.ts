import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Manifest, manifestSchema, type ReviewFormat } from '../../../formats/manifest.js';
import { exportedRaster, WRITERS } from '../../../formats/writers.js';
import { exportForReview } from '../../../pool/review/exportReview.js';
import { importLabels, type LabelImport, type LabelImportReport } from '../../../pool/review/importLabels.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { openPool } from '../../../storage/pool/pool.js';
import { ulid } from '../../../storage/ulid.js';
import { HEIGHT, SCAN, WIDTH } from './scannedPool.js';

export const draw = (at: (x: number, y: number) => number): Uint8Array =>
  Uint8Array.from({ length: WIDTH * HEIGHT }, (_, pixel) => at(pixel % WIDTH, Math.floor(pixel / WIDTH)));
export const within = (x: number, y: number, x0: number, y0: number, x1: number, y1: number): boolean =>
  x >= x0 && x < x1 && y >= y0 && y < y1;

/** An export on a reviewer's desk. */
export interface Desk {
  manifest: Manifest;
  /** Folder of the export. */
  out: string;
  /** The file of a tool that keeps everything: these labels, by image number. */
  returned(labels: Record<number, Uint8Array>, changes?: Partial<Manifest>): Promise<string>;
  take(path: string, more?: Partial<LabelImport>): Promise<LabelImportReport>;
  /** A later export of the same images, with their labels of then. */
  again(): Promise<Desk>;
}

/** Each import at a later second, as people do it. */
export function clock(): () => Date {
  let second = 0;
  return () => new Date(Date.UTC(2026, 1, 3, 4, 5, second++));
}

/** Export the pool's scan into a new folder below `folder`. */
export async function desk(
  store: ObjectStore,
  folder: string,
  format: ReviewFormat,
  now: () => Date,
  { allClasses = true, reviewer = 'ann' }: { allClasses?: boolean; reviewer?: string } = {},
): Promise<Desk> {
  const first = await mkdtemp(join(folder, 'out-'));
  await exportForReview(store, {
    ...{ scan: SCAN, format, out: first, imageRoot: null, allClasses, allImages: true, simplifyPx: 0.5 },
    ...{ now: now(), onProgress: () => undefined },
  });
  const sit = (manifest: Manifest, out: string): Desk => ({
    manifest,
    out,
    async returned(labels, changes = {}) {
      const place = await mkdtemp(join(folder, 'back-'));
      const writer = WRITERS[format]({ folder: place, facts: { ...manifest, simplifyPx: 0, ...changes } });
      for (const image of manifest.images) {
        const label = labels[Number.parseInt(image.imageId, 16)];
        if (label !== undefined) await writer.add({ image, raster: exportedRaster(label, image.exported) });
      }
      await writer.finish();
      return place;
    },
    take: (path, more = {}) =>
      importLabels(store, {
        ...{ path, manifest: join(out, 'manifest.json'), reviewer, unchanged: null, empty: null, fillHoles: false },
        ...{ now: now(), onProgress: () => undefined, ...more },
      }),
    async again() {
      const history = await (await openPool(store, manifest.pool)).history();
      const images = manifest.images.map((image) => ({
        ...image,
        labelSha256: history.latest(image.imageId)?.labelSha256 ?? image.labelSha256,
      }));
      const later = { ...manifest, exportId: ulid(now()), images };
      const place = await mkdtemp(join(folder, 'out-'));
      await writeFile(join(place, 'manifest.json'), JSON.stringify(later));
      return sit(later, place);
    },
  });
  return sit(manifestSchema.parse(JSON.parse(await readFile(join(first, 'manifest.json'), 'utf8'))), first);
}
