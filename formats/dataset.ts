import type { IndexRow } from '../domain/tables.js';
import type { Taxonomy } from '../domain/taxonomy.js';

/** Formats of a whole pool, for trainers and hubs. */
export const DATASET_FORMATS = ['coco', 'hf'] as const;
export type DatasetFormat = (typeof DATASET_FORMATS)[number];

export const SPLITS = ['train', 'val', 'test'] as const;
export type Split = (typeof SPLITS)[number];

/** One image of a pool on its way out. */
export interface DatasetImage {
  row: IndexRow;
  /** Path of the picture, safe on every file system and given to no other image of the export. */
  name: string;
  /** The upright picture; null if it is not to be written: pictures stay where they are, or it is written. */
  picture: Uint8Array | null;
  /** The label as the pool stores it: an 8-bit greyscale PNG of label values. */
  label: Uint8Array;
  /** Its values, row by row. */
  pixels: Uint8Array;
}

/** Images in one file that is complete. */
export interface Piece {
  split: Split;
  /** Path below the folder of the export. */
  file: string;
  images: number;
  bytes: number;
  sha256: string;
}

/** What an export is of. */
export interface DatasetFacts {
  pool: string;
  version: number;
  taxonomy: Taxonomy;
  /** Where the pool's objects are, as an `s3://` URI. */
  storeUri: string;
  createdAt: string;
}

/** Writes images one by one, split by split, so that only what the format needs to keep is in memory. */
export interface DatasetWriter {
  /** Whether an earlier run wrote the picture `name` with these bytes. */
  hasPicture(name: string, sha256: string): Promise<boolean>;
  /** A piece that an earlier run completed, in the order of their completion, before anything is added. */
  resume(piece: Piece): void;
  /** A piece that was completed with this image; null where none was. */
  add(split: Split, image: DatasetImage): Promise<Piece | null>;
  /** No more images of this split come. */
  close(split: Split): Promise<Piece | null>;
  /**
   * Write what belongs to the export as a whole.
   *
   * @param pieces those of `add` and `close`, also of an earlier run
   * @returns all there are
   */
  finish(pieces: readonly Piece[]): Promise<readonly Piece[]>;
}

/** Make the writer of a format for a folder. */
export type MakeDatasetWriter = (folder: string, facts: DatasetFacts) => DatasetWriter;
