import { seededRandom } from '../../../domain/base/random.js';
import { dsmlr18 } from '../../../domain/taxonomies/dsmlr18.js';
import type { BenchImage, BenchSet } from '../data.js';
import { crossValidate, type FoldOptions, type Judged } from '../models.js';
import type { RealPhoto } from './data.js';
import { omitLike, patternOf } from './omissions.js';

/**
 * - `old`: the photos with old labels alone; folds learn from the old labels.
 * - `spoiled`: all photos; those without an old label have their corrected one with parts left out as people do.
 * - `ceiling`: the scan of `spoiled` by folds that learn from corrected labels. A fold never has the photos it judges.
 */
export const VARIANTS = ['old', 'spoiled', 'ceiling'] as const;
export type Variant = (typeof VARIANTS)[number];

/** The photos of a variant, and what is scanned and learned. */
export interface VariantSet {
  variant: Variant;
  set: BenchSet;
  /** Indices of the photos with an old label: only these are scored. */
  scored: number[];
  /** The label under test. */
  scanned(image: BenchImage): Uint8Array;
  /** The label that a fold learns from. */
  learned(image: BenchImage): Uint8Array;
}

/** One variant of `photos`; `seed` decides what is left out of labels whose old form is unknown. */
export function variantSet(variant: Variant, photos: readonly RealPhoto[], size: number, seed: number): VariantSet {
  const images = variant === 'old' ? photos.filter(({ old }) => old !== null) : [...photos];
  const patterns = photos.flatMap((photo) => (photo.old === null ? [] : [patternOf(photo, photo.old)]));
  const given = new Map(
    images.map((photo) => [
      photo.imageId,
      photo.old ?? omitLike(photo, patterns, seededRandom('bench', 'omit', seed, photo.imageId)),
    ]),
  );
  const scanned = (image: BenchImage): Uint8Array => given.get(image.imageId) ?? image.clean;
  return {
    variant,
    set: { name: `real ${variant}`, taxonomy: dsmlr18, imageSize: size, images, validation: [] },
    scored: [...images.keys()].filter((index) => images[index]?.old !== null),
    scanned,
    learned: variant === 'ceiling' ? (image) => image.clean : scanned,
  };
}

/** The folds of a variant, trained unless an earlier run has. */
export const judgesOf = (
  { set, learned }: VariantSet,
  home: string,
  root: string,
  options: FoldOptions,
): Promise<Judged> => crossValidate(set, home, root, { ...options, labelOf: learned });
