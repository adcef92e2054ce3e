import sharp from 'sharp';
import { render } from '../../../demo/car/render.js';
import { planPool } from '../../../demo/plan.js';
import { type ImportItem, NO_FACTS } from '../../../formats/reading/importItem.js';

/** Side of the pictures: at this size a hash tells the least. */
export const SIDE = 96;

/** Pictures of made-up cars, none of one vehicle. */
export async function cars(count: number): Promise<Buffer[]> {
  const plan = planPool(5, { train: 0, val: 0, test: count, interior: 0 });
  const pictures: Buffer[] = [];
  for (const { spec } of plan) pictures.push((await render(spec, SIDE)).jpeg);
  return pictures;
}

/** Ways in which a picture is saved again. */
export const SAVED_AGAIN: Record<string, (picture: Buffer) => Promise<Buffer>> = {
  'as a poorer JPEG': (picture) => sharp(picture).jpeg({ quality: 60 }).toBuffer(),
  'half as large': (picture) =>
    sharp(picture)
      .resize(SIDE / 2)
      .jpeg()
      .toBuffer(),
  'as WebP': (picture) => sharp(picture).webp().toBuffer(),
  'as PNG': (picture) => sharp(picture).png().toBuffer(),
  'a little brighter': (picture) => sharp(picture).modulate({ brightness: 1.05 }).jpeg().toBuffer(),
  'in grey': (picture) => sharp(picture).greyscale().jpeg().toBuffer(),
};

/** An entry of an import; its label is all of class 1. */
export const entry = (
  fileName: string,
  picture: Buffer,
  split: 'train' | 'test',
  vehicleId: string | null = null,
): ImportItem => ({
  fileName,
  image: { kind: 'bytes', read: async () => picture },
  label: async ({ width, height }) => ({ pixels: new Uint8Array(width * height).fill(1), notes: [] }),
  facts: { ...NO_FACTS, split, vehicleId },
});
