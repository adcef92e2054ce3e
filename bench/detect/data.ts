import { createHash } from 'node:crypto';
import { render } from '../../demo/car/render.js';
import { type PlannedImage, planPool } from '../../demo/plan.js';
import { SPOIL_SHARES } from '../../demo/spoil/truth.js';
import { seededRandom } from '../../domain/base/random.js';
import { nearDuplicateClusters } from '../../domain/draw/nearDuplicates.js';
import { NO_TAGS, type Tags } from '../../domain/tags.js';
import { carParts34 } from '../../domain/taxonomies/carParts34.js';
import { dsmlr18 } from '../../domain/taxonomies/dsmlr18.js';
import type { Taxonomy } from '../../domain/taxonomy.js';
import { inspectPicture } from '../../pool/import/picture.js';
import { readPhotos } from '../scan/photos.js';
import { type PlantedLabel, type PlantPlan, plantErrors, shareCounts } from './plant.js';

/** One image with its right label and, if an error was planted, the wrong one that it has. */
export interface BenchImage {
  imageId: string;
  fileName: string;
  bytes: Buffer;
  width: number;
  height: number;
  clean: Uint8Array;
  planted: PlantedLabel | null;
  tags: Tags;
  vehicleId: string | null;
  cluster: string;
}

/** The label with its planted errors. */
export const givenLabel = ({ planted, clean }: BenchImage): Uint8Array => planted?.given ?? clean;

export interface BenchSet {
  name: string;
  taxonomy: Taxonomy;
  /** Side of the network's canvas in pixels. */
  imageSize: number;
  images: BenchImage[];
  /** Images with right labels that folds are validated on; empty if the data has none to spare. */
  validation: BenchImage[];
}

/**
 * Images of each kind to spoil among 600 rendered ones: at least 40 planted errors of each kind that are large enough
 * to count.
 */
const DEMO_PLAN: PlantPlan = {
  missing_part: 30,
  wrong_class: 46,
  swapped: 26,
  mirrored: 40,
  shifted: 40,
  bad_outline: 40,
};
const DEMO_IMAGES = 600;
const DEMO_VALIDATION = 24;
const PHOTO_SHARE = 0.25;

/** Cars rendered by the demo, with errors planted. `images` below 600 shrinks the plan with it. */
export async function demoSet(seed: number, imageSize: number, images = DEMO_IMAGES): Promise<BenchSet> {
  const plan = planPool(seed, { train: images, val: DEMO_VALIDATION, test: 0, interior: 0 });
  const raw = await renderPlan(plan, imageSize);
  const counts = Object.fromEntries(
    Object.entries(DEMO_PLAN).map(([kind, count]) => [kind, Math.round((count * images) / DEMO_IMAGES)]),
  ) as PlantPlan;
  const validation = await identified(raw.slice(images));
  return {
    name: 'demo',
    taxonomy: carParts34,
    imageSize,
    images: plant(await identified(raw.slice(0, images)), counts, carParts34, imageSize, seed),
    validation,
  };
}

/** The pictures of a plan with their right labels, `side` pixels wide and high. */
export async function renderPlan(plan: readonly PlannedImage[], side: number): Promise<RawImage[]> {
  const raw: RawImage[] = [];
  for (const { name, spec } of plan) {
    const { jpeg, mask } = await render(spec, side);
    raw.push({
      fileName: `images/${name}.jpg`,
      bytes: jpeg,
      size: { width: side, height: side },
      clean: mask.pixels,
      tags: { ...NO_TAGS, ...spec.tags },
      vehicleId: spec.vehicleId,
    });
  }
  return raw;
}

/**
 * The DSMLR training photos in `folder` with errors planted in the demo's proportions; null if there is no such
 * folder.
 */
export async function photoSet(
  folder: string | null,
  seed: number,
  imageSize: number,
  images = Number.POSITIVE_INFINITY,
): Promise<BenchSet | null> {
  if (folder === null) return null;
  const raw: RawImage[] = [];
  for await (const item of readPhotos(folder)) {
    if (raw.length >= images) break;
    if (item.image.kind !== 'bytes') continue;
    const bytes = await item.image.read();
    const size = await inspectPicture(bytes);
    const { pixels: clean } = await item.label(size);
    if (size.width !== size.height) continue;
    raw.push({ fileName: item.fileName, bytes, size, clean, tags: NO_TAGS, vehicleId: null });
  }
  const counts = shareCounts(Math.round(PHOTO_SHARE * raw.length), SPOIL_SHARES);
  return {
    name: 'photos',
    taxonomy: dsmlr18,
    imageSize,
    images: plant(await identified(raw), counts, dsmlr18, imageSize, seed),
    validation: [],
  };
}

export interface RawImage {
  fileName: string;
  bytes: Buffer;
  size: { width: number; height: number };
  clean: Uint8Array;
  tags: Tags;
  vehicleId: string | null;
}

/** Ids by content and near-duplicate groups, as an import and a draw make them. */
export async function identified(raw: readonly RawImage[]): Promise<BenchImage[]> {
  const hashed = await Promise.all(
    raw.map(async (image) => ({
      ...image,
      imageId: createHash('sha256').update(image.bytes).digest('hex'),
      perceptualHash: (await inspectPicture(image.bytes)).perceptualHash,
    })),
  );
  const clusters = nearDuplicateClusters(hashed);
  const seen = new Set<string>();
  return hashed.flatMap(({ imageId, fileName, bytes, size, clean, tags, vehicleId }) => {
    if (seen.has(imageId)) return [];
    seen.add(imageId);
    const cluster = clusters.get(imageId) ?? imageId;
    return [{ imageId, fileName, bytes, ...size, clean, planted: null, tags, vehicleId, cluster }];
  });
}

/** The images with errors planted in as many labels as `counts` says. */
export function plant(
  images: readonly BenchImage[],
  counts: PlantPlan,
  taxonomy: Taxonomy,
  imageSize: number,
  seed: number,
): BenchImage[] {
  const planted = plantErrors(images, counts, taxonomy, imageSize, seededRandom('bench', 'plant', seed));
  return images.map((image, index) => ({ ...image, planted: planted[index] ?? null }));
}
