import type { Tags } from '../../domain/tags.js';
import type { LabelMask } from '../../storage/pictures/labelMask.js';

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

/** Known facts about an image beside its picture and label; null or absent: not given. */
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
  /** Warnings about their making, such as an annotation that paints nothing. */
  notes: string[];
  /** Labelled pixels that shapes lost to others above them; absent if the label was not painted from shapes. */
  overlapPx?: number;
}

/** Reads the label values of a PNG; throws PartloopError `data-invalid` naming it. */
export type DecodeMask = (bytes: Uint8Array, name: string) => Promise<LabelMask>;

/** One labelled image on its way into a pool. */
export interface ImportItem {
  /** Name for people, relative to the source. */
  fileName: string;
  image: ImageSource;
  /**
   * The label for an upright picture of this size, of the same size. `decode` reads a mask that is in a PNG.
   *
   * @throws PartloopError `data-invalid` with the reason
   */
  label(size: { width: number; height: number }, decode?: DecodeMask): Promise<ItemLabel>;
  facts: ImageFacts;
  /** Of picture and label; only for an entry of a listed place. */
  origin?: Origin;
}

/** An image that was left out, and the reason. */
export interface RefusedItem {
  fileName: string;
  reason: string;
  origin?: Origin;
}

/** A fact about the source as a whole that people should be told. */
export interface ImportNotice {
  notice: string;
  count: number;
  examples: string[];
}

/** The output of a format's reader: images, unusable entries and notices, in the order of the file. */
export type ImportEntry = ImportItem | RefusedItem | ImportNotice;

/** The treatment of a picture that the source lists without any annotation. */
export type EmptyPictures = 'refuse' | 'background';

export interface ImportReport {
  pool: string;
  /** The pool's version afterwards; unchanged if nothing was new. */
  version: number;
  added: number;
  /** The images added, by side of the split; `drawn` of those in `val` were drawn, since their side was not given. */
  split: { train: number; val: number; test: number; drawn: number };
  /** In the pool already, with another label so far. */
  replaced: number;
  /** In the pool already with this label; tags, vehicle, split or place are new. */
  updated: number;
  /** Removed earlier and restored by request. */
  restored: number;
  /** Already in the pool, with nothing new; this includes images whose label was corrected since. */
  known: number;
  /** In the pool with a label that a reviewer corrected; the other label of this import was not taken. */
  kept: RefusedItem[];
  /** Removed from the pool earlier, and left out again. */
  removed: string[];
  /** Moved from training or validation to test: earlier models have seen them. */
  movedToTest: string[];
  refused: RefusedItem[];
  /** Images, new or known, whose label has no class at all. */
  unlabelled: string[];
  notices: ImportNotice[];
}
