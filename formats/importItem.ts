import type { Tags } from '../domain/tags.js';
import type { LabelMask } from '../storage/pictures/labelMask.js';

/** Which files of a listed place an entry comes from, and which ones it names that are not there. */
export interface Origin {
  files: string[];
  missing: string[];
}

/**
 * An image that is copied into the pool, or one that stays where it is (`s3://` URI) and is read once for its digest.
 * `read` throws PartloopError `data-invalid` with the reason where there is nothing to read, or far too much. Only an
 * image of a listed place has an origin.
 */
export type ImageSource =
  | { kind: 'bytes'; read(): Promise<Buffer>; origin?: Origin }
  | { kind: 'registered'; uris: readonly string[] };

/** What is known of an image beside its picture and label; null and left out: not said. */
export interface ImageFacts {
  tags: Partial<Tags>;
  vehicleId: string | null;
  source: 'in-house' | 'client' | null;
  split: 'train' | 'val' | 'test' | null;
}

export const NO_FACTS: ImageFacts = { tags: {}, vehicleId: null, source: null, split: null };

export interface ItemLabel {
  /** Label values, row by row. */
  pixels: Uint8Array;
  /** What a person should know of how they came about, such as an annotation that paints nothing. */
  notes: string[];
}

/** Reads the label values of a PNG; throws PartloopError `data-invalid` naming it. */
export type DecodeMask = (bytes: Uint8Array, name: string) => Promise<LabelMask>;

/** One labelled image on its way into a pool. */
export interface ImportItem {
  /** Name for people, relative to where it came from. */
  fileName: string;
  image: ImageSource;
  /**
   * The label for an upright picture of this size, of the same size. `decode` reads a mask where it lies in a PNG.
   *
   * @throws PartloopError `data-invalid` with the reason
   */
  label(size: { width: number; height: number }, decode?: DecodeMask): Promise<ItemLabel>;
  facts: ImageFacts;
  /** Of picture and label; only for an entry of a listed place. */
  origin?: Origin;
}

/** An image that was left out, and why. */
export interface RefusedItem {
  fileName: string;
  reason: string;
  origin?: Origin;
}

/** Something about the source as a whole that nobody should have to find out by themselves. */
export interface ImportNotice {
  notice: string;
  count: number;
  examples: string[];
}

/** What a reader of a format yields: images, entries of no use, and notices, in the order of the file. */
export type ImportEntry = ImportItem | RefusedItem | ImportNotice;

/** What to do with a picture that the source lists without any annotation. */
export type EmptyPictures = 'refuse' | 'background';

export interface ImportReport {
  pool: string;
  /** The pool's version afterwards; unchanged where nothing was new. */
  version: number;
  added: number;
  /**
   * The images added, by side of the split; `drawn` of those in `val` were drawn, since nothing was said of their side.
   */
  split: { train: number; val: number; test: number; drawn: number };
  /** In the pool already, with another label so far. */
  replaced: number;
  /** In the pool already with this label; tags, vehicle, split or place are new. */
  updated: number;
  /** Removed earlier and taken back by request. */
  restored: number;
  /** In the pool already, and nothing new: also where the label is one that was corrected since. */
  known: number;
  /** In the pool with a label that a reviewer corrected; the other label of this import was not taken. */
  kept: RefusedItem[];
  /** Removed from the pool earlier, and left out again. */
  removed: string[];
  /** Moved from training or validation to test: models of before have seen them. */
  movedToTest: string[];
  refused: RefusedItem[];
  /** Images that came in or were known whose label has no class at all. */
  unlabelled: string[];
  notices: ImportNotice[];
}
