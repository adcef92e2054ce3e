import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { PartloopError } from '../../domain/base/errors.js';
import { plainClassName } from '../../domain/taxonomies/categoryNames.js';
import { BACKGROUND } from '../../domain/taxonomy.js';
import type { Manifest, ManifestImage } from '../manifest.js';
import type { Shape } from '../paint.js';
import { partClasses } from '../writer.js';

/** The content returned from a tool. */
export interface Returned {
  images: ReturnedImage[];
  /**
   * Label values in its list of classes: it tells nothing about others. null if the format has no such list. Background
   * and ignored are not in it.
   */
  classes: ReadonlySet<number> | null;
  /** Pictures that it lists; a picture without labels came back empty. */
  listed?: readonly string[];
  /** Parts that belong to none of its pictures, in words. */
  strays?: readonly string[];
}

/** An image as it came back from a tool. */
export interface ReturnedImage {
  /** The tool's name for it. */
  name: string;
  /** `name` is that of a label file, whose ending is cut off. */
  isLabelFile?: true;
  /** Our id, if the tool kept it. */
  imageId: string | null;
  /** The export that it names, if the tool kept that. */
  exportId?: string | null;
  /** Our id in all of its pieces: a tool copies it with a piece, so names count more. */
  piecesId?: string;
  /**
   * Its label values, in the exported size.
   *
   * @throws PartloopError `data-invalid` with the reason
   */
  read(image: ManifestImage): Promise<ReturnedRaster>;
}

export interface ReturnedRaster {
  raster: Uint8Array;
  /** Drawn from polygons, whose edges tools may move by up to a pixel. */
  polygons: boolean;
}

export type ReadReturned = (path: string, manifest: Manifest) => Promise<Returned>;

/**
 * The same raster, unless shapes were drawn and none covers a pixel: such an image did not come back empty.
 *
 * @throws PartloopError `data-invalid` if it is unclear which pixels they should cover
 */
export function painted(raster: Uint8Array, shapes: readonly Shape[]): Uint8Array {
  const drawn = shapes.filter(({ value }) => value !== BACKGROUND).length;
  if (drawn === 0 || raster.some((value) => value !== BACKGROUND)) return raster;
  throw new PartloopError('data-invalid', `none of its ${drawn} shapes covers a pixel of it`, {
    hint: 'The coordinates may be fractions instead of pixels, or those of another picture.',
  });
}

/** @throws PartloopError `data-invalid` if the sizes differ; the message tells if the tool turned the picture */
export function checkSize(image: ManifestImage, width: number, height: number, what: string): void {
  if (width === image.width && height === image.height) return;
  const turned = width === image.height && height === image.width;
  throw new PartloopError(
    'data-invalid',
    turned
      ? `${what} is ${width}×${height}, the upright picture ${image.width}×${image.height}: the tool ignored the picture's EXIF orientation and showed it on its side`
      : `${what} is ${width}×${height}, the picture ${image.width}×${image.height}`,
    turned ? { hint: 'Give the tool upright copies, or turn on EXIF orientation in it.' } : {},
  );
}

/**
 * Label value of a class name as tools write it (case and blanks aside); background names are 0.
 *
 * @throws PartloopError `data-invalid` for a name that the taxonomy does not have
 */
export function classValue(manifest: Manifest, name: string): number {
  const found = findClass(manifest, name);
  if (found !== null) return found;
  throw new PartloopError('data-invalid', `class ${name} is not in taxonomy ${manifest.taxonomy}`);
}

/** The same, null for a name that the taxonomy does not have. */
export function findClass(manifest: Manifest, name: string): number | null {
  const plain = plainClassName(name);
  if (plain === '_background_') return BACKGROUND;
  return manifest.classes.find((entry) => entry.name === plain)?.value ?? null;
}

/**
 * Label values of a file's list of classes; names that the taxonomy does not have matter only if a shape uses them.
 *
 * @throws PartloopError `input-invalid` for a list without any class of the taxonomy: the file is about something else
 */
export function listedClasses(manifest: Manifest, names: readonly string[], path: string): ReadonlySet<number> {
  const known = new Set(partClasses(manifest.classes).map(({ value }) => value));
  const values = names.map((name) => findClass(manifest, name)).filter((value) => value !== null && known.has(value));
  if (values.length > 0) return new Set(values.filter((value) => value !== null));
  const listed = names.length === 0 ? 'lists no classes' : `lists no class of taxonomy ${manifest.taxonomy}`;
  throw new PartloopError('input-invalid', `${path} ${listed}${names.length === 0 ? '' : `: ${names.join(', ')}`}`, {
    hint: `Without its list of classes nobody can tell what came back. The taxonomy has ${partClasses(manifest.classes)
      .map(({ name }) => name)
      .join(', ')}.`,
  });
}

/** The lines of a text file, without a byte order mark and empty lines. */
export const listLines = (text: string): string[] =>
  text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '');

/** Files below a folder with an ending, as paths with slashes, sorted. */
export async function filesBelow(folder: string, ending: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return (
    entries
      // A link is read if it leads to a file inside, otherwise it is refused by name: an existing file never counts as
      // missing.
      .filter((entry) => (entry.isFile() || entry.isSymbolicLink()) && entry.name.toLowerCase().endsWith(ending))
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
      .sort()
  );
}
