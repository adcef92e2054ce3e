import type { Tags } from '../domain/tags.js';

/**
 * An image that is copied into the pool, or one that stays where it is (`s3://` URI) and is read once for its digest.
 * `read` throws PartloopError `data-invalid` with the reason where there is nothing to read, or far too much.
 */
export type ImageSource = { kind: 'bytes'; read(): Promise<Buffer> } | { kind: 'registered'; uri: string };

/** One labelled image on its way into a pool. */
export interface ImportItem {
  /** Name for people, relative to where it came from. */
  fileName: string;
  image: ImageSource;
  /**
   * Label values for an upright picture of this size, of the same size.
   *
   * @throws PartloopError `data-invalid` with the reason
   */
  label(size: { width: number; height: number }): Promise<Uint8Array>;
  tags: Tags;
  vehicleId: string | null;
  source: 'in-house' | 'client';
  /** null: test where the whole import is, else train or val. */
  split: 'train' | 'val' | 'test' | null;
}

/** Why an image was left out. */
export interface RefusedItem {
  fileName: string;
  reason: string;
}

export interface ImportReport {
  pool: string;
  /** The pool's version afterwards; unchanged where nothing was new. */
  version: number;
  added: number;
  /** In the pool already with the same label. */
  known: number;
  refused: RefusedItem[];
}
