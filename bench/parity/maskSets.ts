import { renderMask } from '../../demo/car/render.js';
import { planPool } from '../../demo/plan.js';
import { seededRandom } from '../../domain/base/random.js';
import { carParts34 } from '../../domain/taxonomies/carParts34.js';
import { IGNORE_INDEX } from '../../domain/taxonomy.js';

interface MaskPair {
  given: Uint8Array;
  predicted: Uint8Array;
  width: number;
  height: number;
}

/** Test sets of one kind. */
export interface MaskSet {
  name: string;
  classes: number;
  /** With 255 × the probability of each predicted pixel. */
  images: (MaskPair & { probabilities: Uint8Array })[];
}

type Random = () => number;

const FEW_CLASSES = 6;
/** A class that no picture has. */
const ABSENT = 4;
const LARGEST_NOISE = 40;
const LARGEST_BLOBS = 200;
/** Sizes with a diagonal whose 2 % end in exactly one half, lines of one pixel, a single pixel. */
const CORNER_SIZES = [
  ...[
    [75, 100],
    [100, 75],
    [175, 600],
    [60, 25],
    [125, 300],
  ],
  ...[
    [1, 1],
    [1, 50],
    [200, 1],
    [2, 2],
    [3, 160],
  ],
] as const;
/** 255 × probability of every other edge of ten bins; the remaining ones are no whole numbers. */
const EDGE = 51;
const CAR_PIXELS = 512;
/** Grids of photos at longest side 512: 3:2, 4:3, upright, square, and sizes that 4 does not divide. */
const CAR_SIZES = [
  [512, 341],
  [512, 384],
  [384, 512],
  [512, 512],
  [511, 287],
  [317, 509],
] as const;

/** Masks of each kind, the same for the same seed. */
export function maskSets(seed: string, { small, cars }: { small: number; cars: number }): MaskSet[] {
  const random = seededRandom(seed, 'parity');
  const upTo = (most: number): number => 1 + Math.floor(random() * most);
  const times = <T>(count: number, make: (index: number) => T): T[] =>
    Array.from({ length: count }, (_, at) => make(at));
  const plans = planPool(cars, { train: 0, val: 0, test: cars, interior: 0 });
  const set = (name: string, classes: number, images: MaskPair[]): MaskSet => ({
    name,
    classes,
    images: images.map((image) => ({ ...image, probabilities: probabilitiesOf(image, random) })),
  });
  return [
    set(
      'noise',
      FEW_CLASSES,
      times(small, () => noise(upTo(LARGEST_NOISE), upTo(LARGEST_NOISE), random)),
    ),
    set(
      'rectangles',
      FEW_CLASSES,
      times(small, () => rectangles(upTo(LARGEST_BLOBS), upTo(LARGEST_BLOBS), random)),
    ),
    set(
      'corner sizes',
      FEW_CLASSES,
      CORNER_SIZES.map(([width, height]) => rectangles(width, height, random)),
    ),
    set(
      'nothing but background',
      FEW_CLASSES,
      times(3, () => blank(upTo(LARGEST_NOISE), upTo(LARGEST_NOISE))),
    ),
    set(
      'rendered cars',
      carParts34.classes.length,
      plans.map(({ spec }, index) => {
        const [width, height] = CAR_SIZES[index % CAR_SIZES.length] as readonly [number, number];
        const truth = cropCentre(renderMask(spec, CAR_PIXELS).pixels, CAR_PIXELS, width, height);
        return carPair(truth, width, height, random);
      }),
    ),
  ];
}

/** A network that is mostly sure, and less often right than it says. */
function probabilitiesOf({ predicted }: MaskPair, random: Random): Uint8Array {
  return predicted.map(() => {
    const p = Math.floor(255 * random() ** 0.4);
    // On the edge of a bin torchmetrics puts it below or above as its floats are rounded.
    return p % EDGE === 0 ? p + 1 : p;
  });
}

function noise(width: number, height: number, random: Random): MaskPair {
  const ignored = random() < 0.5 ? 0.2 * random() : 0;
  const agreement = random();
  const given = new Uint8Array(width * height).map(() => (random() < ignored ? IGNORE_INDEX : anyLabel(random)));
  const predicted = given.map((label) => (label !== IGNORE_INDEX && random() < agreement ? label : anyLabel(random)));
  return { given, predicted, width, height };
}

const blank = (width: number, height: number): MaskPair => ({
  ...{ given: new Uint8Array(width * height), predicted: new Uint8Array(width * height), width, height },
});

/** Rectangles on each other, some over the edge of the picture; the prediction has each of them a little elsewhere. */
function rectangles(width: number, height: number, random: Random): MaskPair {
  const given = new Uint8Array(width * height);
  const predicted = new Uint8Array(width * height);
  const off = (): number => Math.round((random() - 0.5) * 0.1 * Math.max(width, height));
  for (let count = 2 + Math.floor(random() * 8); count > 0; count--) {
    const [x, y] = [(random() * 1.4 - 0.4) * width, (random() * 1.4 - 0.4) * height];
    const box = { x, y, right: x + random() * width, bottom: y + random() * height };
    const label = anyLabel(random);
    fillBox(given, width, height, box, random() < 0.15 ? IGNORE_INDEX : label);
    const moved = { x: x + off(), y: y + off(), right: box.right + off(), bottom: box.bottom + off() };
    fillBox(predicted, width, height, moved, random() < 0.1 ? anyLabel(random) : label);
  }
  return { given, predicted, width, height };
}

interface Box {
  x: number;
  y: number;
  right: number;
  bottom: number;
}

function fillBox(pixels: Uint8Array, width: number, height: number, { x, y, right, bottom }: Box, value: number): void {
  const within = (at: number, size: number): number => Math.min(size, Math.max(0, Math.round(at)));
  for (let row = within(y, height); row < within(bottom, height); row++)
    pixels.fill(value, row * width + within(x, width), row * width + Math.max(within(x, width), within(right, width)));
}

/** A prediction with each part a few pixels off, parts left out or taken for others; the label has ignored regions. */
function carPair(truth: Uint8Array, width: number, height: number, random: Random): MaskPair {
  const given = truth.slice();
  const predicted = new Uint8Array(truth.length);
  const present = [...new Set(truth)].filter((label) => label !== 0);
  for (const label of present) {
    const fate = random();
    const seen = fate < 0.1 ? 0 : fate < 0.2 ? (present[Math.floor(random() * present.length)] ?? 0) : label;
    const [dx, dy] = [Math.round((random() - 0.5) * 9), Math.round((random() - 0.5) * 9)];
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const [fromX, fromY] = [x - dx, y - dy];
        if (fromX < 0 || fromY < 0 || fromX >= width || fromY >= height) continue;
        if (truth[fromY * width + fromX] === label) predicted[y * width + x] = seen;
      }
  }
  for (let count = Math.floor(random() * 4); count > 0; count--) {
    const [x, y] = [random() * width, random() * height];
    const box = { x, y, right: x + 0.2 * random() * width, bottom: y + 0.2 * random() * height };
    fillBox(given, width, height, box, IGNORE_INDEX);
  }
  return { given, predicted, width, height };
}

function cropCentre(pixels: Uint8Array, size: number, width: number, height: number): Uint8Array {
  const [left, top] = [Math.floor((size - width) / 2), Math.floor((size - height) / 2)];
  const cropped = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const from = (top + y) * size + left;
    cropped.set(pixels.subarray(from, from + width), y * width);
  }
  return cropped;
}

function anyLabel(random: Random): number {
  const label = Math.floor(random() * (FEW_CLASSES + 1));
  return label === ABSENT ? 0 : label;
}
