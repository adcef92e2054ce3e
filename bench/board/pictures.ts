import { createHash } from 'node:crypto';
import { render, renderMask } from '../../demo/car/render.js';
import { planPool } from '../../demo/plan.js';
import { encodeRle } from '../../domain/geometry/rle.js';
import type { Tags } from '../../domain/tags.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { encodeLabel } from '../../storage/pictures/labelMask.js';

/** Rendered cars behind all pictures. */
const CARS = 96;
/** Side in pixels of the grid on which a scan writes its proposals. */
const GRID = 128;
const SEED = 1;
const MAX_COMMENT = 32;

/** A part of a label: where it is, and its pixels as a scan proposes them. */
export interface Part {
  value: number;
  /** Shares of the picture. */
  box: { x0: number; y0: number; x1: number; y1: number };
  areaShare: number;
  proposal: string;
}

/** One rendered car with its label, which is in the store. */
export interface Car {
  jpeg: Buffer;
  labelUri: string;
  labelSha256: string;
  tags: Tags;
  /** Label values present, ascending, background left out. */
  classes: number[];
  parts: Part[];
}

/** Render the cars, and store their labels under the pool. */
export async function makeCars(store: ObjectStore, pool: string, side: number): Promise<Car[]> {
  const planned = planPool(SEED, { train: CARS, val: 0, test: 0, interior: 0 }).slice(0, CARS);
  const cars: Car[] = [];
  for (const { spec } of planned) {
    const { jpeg, mask } = await render(spec, side);
    const png = await encodeLabel(mask.pixels, side, side);
    const labelSha256 = sha256(png);
    const labelUri = keys.label(pool, labelSha256);
    await store.put(labelUri, png, 'image/png');
    const classes = [...new Set(mask.pixels)].filter((value) => value !== 0).sort((a, b) => a - b);
    cars.push({ jpeg, labelUri, labelSha256, tags: spec.tags, classes, parts: partsOf(renderMask(spec, GRID).pixels) });
  }
  return cars;
}

/** The picture of a car as a file of its own, whose bytes differ in a comment alone. */
export function copyOf({ jpeg }: Car, number: number): Buffer {
  const text = Buffer.from(`copy ${number}`.slice(0, MAX_COMMENT));
  // After the marker that starts the file: a comment segment with its length, which counts itself.
  const comment = Buffer.from([0xff, 0xfe, 0, text.length + 2]);
  return Buffer.concat([jpeg.subarray(0, 2), comment, text, jpeg.subarray(2)]);
}

function partsOf(pixels: Uint8Array): Part[] {
  const values = [...new Set(pixels)].filter((value) => value !== 0);
  return values.map((value) => {
    let [x0, y0, x1, y1, area] = [GRID, GRID, 0, 0, 0];
    for (const [pixel, found] of pixels.entries()) {
      if (found !== value) continue;
      const x = pixel % GRID;
      const y = Math.floor(pixel / GRID);
      [x0, y0, x1, y1] = [Math.min(x0, x), Math.min(y0, y), Math.max(x1, x + 1), Math.max(y1, y + 1)];
      area++;
    }
    const counts = encodeRle((pixel) => pixels[pixel] === value, { x0, y0, x1, y1 }, GRID, GRID);
    return {
      value,
      box: { x0: x0 / GRID, y0: y0 / GRID, x1: x1 / GRID, y1: y1 / GRID },
      areaShare: area / GRID ** 2,
      proposal: JSON.stringify({ size: [GRID, GRID], counts }),
    };
  });
}

export const sha256 = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');
