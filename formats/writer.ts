import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ClassEntry, Manifest, ManifestImage } from './manifest.js';

/** One image on its way out, with the label values that are exported; the rest is background here. */
export interface ExportItem {
  image: ManifestImage;
  /** `width` × `height`, row by row. */
  raster: Uint8Array;
}

/** One part of an export. Images come one by one, so only data that the format must keep are in memory. */
export interface FormatWriter {
  /**
   * @throws PartloopError `data-invalid` for a label that the format cannot represent; then nothing of it is written
   */
  add(item: ExportItem): Promise<void>;
  /** Write the files of the part as a whole. */
  finish(): Promise<void>;
}

/** The target of a part: its folder, and the manifest's facts. */
export interface WriterContext {
  folder: string;
  facts: Pick<Manifest, 'exportId' | 'classes' | 'simplifyPx'>;
}

export type MakeWriter = (context: WriterContext) => FormatWriter;

/** Write a file below a part's folder; `name` comes from an image's name, which has no `..` in it. */
export async function writeBelow(
  folder: string,
  name: string,
  body: string | Uint8Array | Iterable<string>,
): Promise<void> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, body);
}

/** The classes proper: without background and ignored. */
export const partClasses = (classes: readonly ClassEntry[]): ClassEntry[] =>
  classes.filter(({ value }) => value > 0 && value < 255);
