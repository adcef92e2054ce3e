import { planPool } from '../../demo/plan.js';
import { SPOIL_SHARES } from '../../demo/spoil/truth.js';
import { PartloopError } from '../../domain/base/errors.js';
import { carParts34 } from '../../domain/taxonomies/carParts34.js';
import { dsmlr18 } from '../../domain/taxonomies/dsmlr18.js';
import { type BenchImage, type BenchSet, givenLabel, identified, plant, renderPlan } from '../detect/data.js';
import { shareCounts } from '../detect/plant.js';
import { realFolders, realPhotos, testPhotos } from '../detect/real/data.js';
import { wrongParts } from '../detect/real/parts.js';
import { NO_REAL_DATA } from '../detect/real/run.js';

/**
 * - `cars`: rendered, redundant and imbalanced, with planted errors; the test images are balanced.
 * - `photos`: DSMLR photos with planted errors.
 * - `old`: DSMLR photos; those whose label people corrected later have the old one.
 */
export const POOLS = ['cars', 'photos', 'old'] as const;
export type PoolName = (typeof POOLS)[number];

export interface PoolOptions {
  seed: number;
  /** Side of pictures and network in pixels. */
  size: number;
  /** Images to choose from. */
  images: number;
  /** Test images. */
  tests: number;
  /** Share of wrong labels that are planted, 0..1. */
  wrong: number;
}

/** Images to choose from, with the truth about their labels, and test images with right labels. */
export interface ExperimentPool {
  set: BenchSet;
  test: BenchImage[];
  /** The label that the pool gives. */
  given(image: BenchImage): Uint8Array;
  isWrong(image: BenchImage): boolean;
}

const VALIDATION = 24;

/** The pool of one seed. */
export function poolOf(name: PoolName, options: PoolOptions): Promise<ExperimentPool> {
  return name === 'cars' ? renderedPool(options) : photoPool(name, options);
}

async function renderedPool({ seed, size, images, tests, wrong }: PoolOptions): Promise<ExperimentPool> {
  const plan = planPool(seed, { train: images, val: VALIDATION, test: tests, interior: 0 });
  const raw = await renderPlan(plan, size);
  const [train, val, test] = await Promise.all([
    identified(raw.slice(0, images)),
    identified(raw.slice(images, images + VALIDATION)),
    identified(raw.slice(images + VALIDATION)),
  ]);
  const set = { name: `cars ${seed}`, taxonomy: carParts34, imageSize: size, images: train, validation: val };
  return withPlanted(set, test, wrong, seed);
}

async function photoPool(
  name: 'photos' | 'old',
  { seed, size, images, tests, wrong }: PoolOptions,
): Promise<ExperimentPool> {
  const folders = realFolders();
  if (folders === null) throw new PartloopError('not-found', NO_REAL_DATA);
  const photos = (await realPhotos(folders)).slice(0, images);
  const set = { name: `${name} ${seed}`, taxonomy: dsmlr18, imageSize: size, validation: [] };
  const test = (await testPhotos(folders)).slice(0, tests);
  if (name === 'photos') return withPlanted({ ...set, images: photos }, test, wrong, seed);
  const old = new Map(photos.flatMap((photo) => (photo.old === null ? [] : [[photo.imageId, photo.old] as const])));
  const given = (image: BenchImage): Uint8Array => old.get(image.imageId) ?? image.clean;
  const wrongOnes = new Set(
    photos
      .filter((photo) => wrongParts(given(photo), photo.clean, photo.width, photo.height).length > 0)
      .map(({ imageId }) => imageId),
  );
  return { set: { ...set, images: photos }, test, given, isWrong: ({ imageId }) => wrongOnes.has(imageId) };
}

function withPlanted(set: BenchSet, test: BenchImage[], wrong: number, seed: number): ExperimentPool {
  const { images, taxonomy, imageSize } = set;
  const counts = shareCounts(Math.round(wrong * images.length), SPOIL_SHARES);
  return {
    set: { ...set, images: plant(images, counts, taxonomy, imageSize, seed) },
    test,
    given: givenLabel,
    isWrong: (image) => image.planted !== null,
  };
}
