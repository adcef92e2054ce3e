import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { render } from '../../demo/car/render.js';
import { type PlannedImage, planPool } from '../../demo/plan.js';
import { type Tags, tagsSchema } from '../../domain/tags.js';
import { forEachLimited } from '../../storage/parallel.js';

const IN_PARALLEL = 4;

/** A made-up car with its exact label. */
export interface Car {
  /** File name without extension; no other car of the day has it. */
  name: string;
  size: number;
  jpeg: Buffer;
  sha256: string;
  /** Label values, row by row. */
  pixels: Uint8Array;
  labelSha256: string;
  tags: Tags;
  vehicleId: string;
}

export type Cars = Record<PlannedImage['split'], Car[]>;

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Draw the cars of a day, `size` pixels square; no vehicle is on two sides of the split. */
export async function drawCars(
  seed: number,
  size: number,
  counts: Record<PlannedImage['split'], number>,
): Promise<Cars> {
  const plan = planPool(seed, { ...counts, interior: 0 });
  const drawn: Car[] = [];
  await forEachLimited(plan, IN_PARALLEL, async ({ name, spec }, index) => {
    const { jpeg, mask } = await render(spec, size);
    const { pixels } = mask;
    const facts = { tags: tagsSchema.parse(spec.tags), vehicleId: spec.vehicleId };
    drawn[index] = { name, size, jpeg, sha256: sha256(jpeg), pixels, labelSha256: sha256(pixels), ...facts };
  });
  const side = (split: PlannedImage['split']): Car[] => drawn.filter((_, index) => plan[index]?.split === split);
  return { train: side('train'), val: side('val'), test: side('test') };
}

/** A label as an index mask: an 8-bit grey PNG. */
export const maskPng = (pixels: Uint8Array, width: number): Promise<Buffer> =>
  sharp(pixels, { raw: { width, height: pixels.length / width, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toBuffer();
