import { createCocoWriter } from './coco/export.js';
import { createCvatWriter } from './cvat/export.js';
import { createLabelStudioWriter } from './labelStudio/export.js';
import type { ManifestImage, ReviewFormat } from './manifest.js';
import { createMaskWriter } from './masks/export.js';
import type { MakeWriter } from './writer.js';
import { createYoloWriter } from './yolo/export.js';
import { paintPolygons, toPolygons } from './yolo/polygons.js';

/** The writer of each format. */
export const WRITERS: Record<ReviewFormat, MakeWriter> = {
  coco: createCocoWriter,
  cvat: createCvatWriter,
  'label-studio': createLabelStudioWriter,
  masks: createMaskWriter,
  yolo: createYoloWriter,
};

/** The raster read back from an untouched export: `raster` itself if the format loses nothing. */
export function referenceRaster(
  format: ReviewFormat,
  image: ManifestImage,
  raster: Uint8Array,
  simplifyPx: number,
): Uint8Array {
  return format === 'yolo' ? paintPolygons(toPolygons(image, raster, simplifyPx), image) : raster;
}

/** A label in which everything that is not exported is background. */
export function exportedRaster(label: Uint8Array, exported: readonly number[]): Uint8Array {
  const keep = new Uint8Array(256);
  for (const value of exported) keep[value] = 1;
  return label.map((value) => (keep[value] === 1 ? value : 0));
}
