import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { seededRandom } from '../domain/base/random.js';
import { type Tags, tagsSchema } from '../domain/tags.js';
import { carParts34 } from '../domain/taxonomies/carParts34.js';
import { mirrorTable } from '../domain/taxonomy.js';
import { photograph, render, renderMask } from './car/render.js';
import { interiorScene } from './interior.js';
import { type PlannedImage, planPool } from './plan.js';
import { DEMO_COUNTS, type DemoCounts, IMAGE_SIZE } from './settings.js';
import { assignSpoils } from './spoil/assign.js';
import { spoil } from './spoil/spoil.js';
import type { TruthRow } from './spoil/truth.js';

/** One line of `manifest.jsonl`, as `partloop import masks` reads it; paths are relative to the manifest. */
export interface ManifestRow {
  image: string;
  label: string;
  tags: Tags;
  vehicleId: string;
  split: 'train' | 'val' | 'test';
  source: 'in-house' | 'client';
}

export interface GenerateOptions {
  dir: string;
  seed: number;
  /** Side of the square pictures in pixels. */
  size?: number;
  counts?: DemoCounts;
  /** Target of the truth; beside `dir`, never in it. */
  truthFile?: string;
  onProgress?: (done: number, total: number) => void;
}

const PARALLEL = 4;

/**
 * Render the demo's pool: `images/`, `labels/` (8-bit grey, value = class) and `manifest.jsonl` in `dir`, and the truth
 * about the spoiled labels in a separate file outside `dir`, where no import can find it.
 */
export async function generateDemo({
  dir,
  seed,
  size = IMAGE_SIZE,
  counts = DEMO_COUNTS,
  truthFile = `${dir}.truth.jsonl`,
  onProgress,
}: GenerateOptions): Promise<{ manifest: string; truth: string }> {
  const plan = planPool(seed, counts);
  const labels = plan.map(({ spec }) => renderMask(spec, size).pixels);
  const truth = spoilLabels(plan, labels, size, seed);
  await Promise.all(['images', 'labels'].map((folder) => mkdir(join(dir, folder), { recursive: true })));
  const total = plan.length + counts.interior;
  let done = 0;
  const progress = (): void => onProgress?.(++done, total);
  await inParallel(plan, async ({ name, spec }, index) => {
    await writeImage(dir, name, (await render(spec, size)).jpeg, labels[index] ?? new Uint8Array(), size);
    progress();
  });
  const inside = Array.from({ length: counts.interior }, (_, index) => `interior-${String(index).padStart(3, '0')}`);
  await inParallel(inside, async (name) => {
    await writeImage(
      dir,
      name,
      await photograph(interiorScene(size, seededRandom('demo', seed, name)), `${seed}-${name}`),
      new Uint8Array(size * size),
      size,
    );
    progress();
  });
  const rows = [...plan.map(manifestRow), ...inside.map((name) => interiorRow(name, seed))];
  const manifest = join(dir, 'manifest.jsonl');
  await writeFile(manifest, lines(rows));
  await writeFile(truthFile, lines(truth));
  return { manifest, truth: truthFile };
}

/** Spoils labels in place; val and test stay clean. */
function spoilLabels(plan: readonly PlannedImage[], labels: Uint8Array[], size: number, seed: number): TruthRow[] {
  const sides = { mirror: mirrorTable(carParts34), count: carParts34.classes.length };
  const truth = plan.map(({ name }): TruthRow => ({ fileName: fileName(name), wrong: false, size, planted: [] }));
  const trainable = plan.flatMap(({ split }, index) => (split === 'train' ? [index] : []));
  assignSpoils(trainable.length, seededRandom('demo', seed, 'spoil'), (choice, kind) => {
    const index = trainable[choice] ?? 0;
    const spoiled = spoil(
      kind,
      { pixels: labels[index] ?? new Uint8Array(), size },
      sides,
      seededRandom('demo', seed, 'spoil', index),
    );
    if (spoiled === null) return false;
    labels[index] = spoiled.pixels;
    truth[index] = { fileName: fileName(plan[index]?.name ?? ''), wrong: true, size, planted: spoiled.planted };
    return true;
  });
  return truth;
}

async function writeImage(dir: string, name: string, jpeg: Buffer, label: Uint8Array, size: number): Promise<void> {
  const png = await sharp(label, { raw: { width: size, height: size, channels: 1 } })
    .toColourspace('b-w')
    .png({ compressionLevel: 6 })
    .toBuffer();
  await Promise.all([writeFile(join(dir, imagePath(name)), jpeg), writeFile(join(dir, labelPath(name)), png)]);
}

const imagePath = (name: string): string => `images/${name}.jpg`;
const labelPath = (name: string): string => `labels/${name}.png`;
/** The name by which the pool's index and the findings know an image. */
const fileName = imagePath;

const manifestRow = ({ name, split, source, spec }: PlannedImage): ManifestRow => ({
  image: imagePath(name),
  label: labelPath(name),
  tags: tagsSchema.parse(spec.tags),
  vehicleId: spec.vehicleId,
  split,
  source,
});

const interiorRow = (name: string, seed: number): ManifestRow => ({
  image: imagePath(name),
  label: labelPath(name),
  tags: tagsSchema.parse({ region: 'interior' }),
  vehicleId: `demo-${seed}-${name}-car`,
  split: 'train',
  source: 'client',
});

const lines = (rows: readonly unknown[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

async function inParallel<T>(items: readonly T[], work: (item: T, index: number) => Promise<void>): Promise<void> {
  const queue = items.entries();
  await Promise.all(
    Array.from({ length: PARALLEL }, async () => {
      for (const [index, item] of queue) await work(item, index);
    }),
  );
}
