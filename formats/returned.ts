import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { PartloopError } from '../domain/errors.js';
import type { Manifest, ManifestImage } from './manifest.js';

/** An image as it came back from a tool. */
export interface ReturnedImage {
  /** What the tool calls it. */
  name: string;
  /** Our id, where the tool kept it. */
  imageId: string | null;
  /**
   * Its label values, of the size that was exported.
   *
   * @throws PartloopError `data-invalid` with the reason
   */
  read(image: ManifestImage): Promise<ReturnedRaster>;
}

export interface ReturnedRaster {
  raster: Uint8Array;
  /** Drawn from polygons, whose edges tools place up to a pixel elsewhere. */
  polygons: boolean;
}

export type ReadReturned = (path: string, manifest: Manifest) => AsyncGenerator<ReturnedImage>;

/** @throws PartloopError `data-invalid` where the sizes differ, saying so where the tool turned the picture */
export function checkSize(image: ManifestImage, width: number, height: number, what: string): void {
  if (width === image.width && height === image.height) return;
  const turned = width === image.height && height === image.width;
  throw new PartloopError(
    'data-invalid',
    turned
      ? `${what} is ${width}×${height}, the upright picture ${image.width}×${image.height}: the tool ignored the picture's EXIF orientation and worked on it lying on its side`
      : `${what} is ${width}×${height}, the picture ${image.width}×${image.height}`,
    turned ? { hint: 'Give the tool upright copies, or turn EXIF orientation on in it.' } : {},
  );
}

/**
 * Label value of a class name as tools write it (case and blanks aside); background names are 0.
 *
 * @throws PartloopError `data-invalid` for a name that the taxonomy does not have
 */
export function classValue(manifest: Manifest, name: string): number {
  const plain = name.trim().toLowerCase().replaceAll(' ', '_');
  if (plain === '_background_') return 0;
  const found = manifest.classes.find((entry) => entry.name === plain);
  if (found !== undefined) return found.value;
  throw new PartloopError('data-invalid', `class ${name} is not in taxonomy ${manifest.taxonomy}`);
}

/** Files below a folder with an ending, as paths with slashes, sorted. */
export async function filesBelow(folder: string, ending: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.toLowerCase().endsWith(ending))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}
