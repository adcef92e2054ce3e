import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { seededRandom } from '../../domain/base/random.js';
import { fillRuns, polygonRuns } from '../../domain/geometry/polygon.js';

/** The classes: nothing of a car, told by form and, roughly, by colour. */
export const SHAPES = ['circle', 'square', 'star'] as const;
type ShapeName = (typeof SHAPES)[number];
const COLOURS: Readonly<Record<ShapeName, readonly [number, number, number]>> = {
  circle: [196, 92, 84],
  square: [92, 168, 96],
  star: [88, 110, 196],
};
const COLOUR_JITTER = 36;
const NOISE = 22;
const CIRCLE_CORNERS = 24;
const STAR_CORNERS = 10;
const STAR_DEPTH = 0.5;
const PLACES = 40;
/** A shape counts as shifted if it moved by this share of its radius. */
const SHIFT = 0.7;

/** The errors that are planted, each in as many labels. */
export const SHAPE_ERRORS = ['missing', 'wrong class', 'shifted'] as const;
export type ShapeError = (typeof SHAPE_ERRORS)[number];

export interface ShapesOptions {
  folder: string;
  images: number;
  /** Side of the square pictures in pixels. */
  size: number;
  /** Share of the labels with an error. */
  wrongShare: number;
  seed: number;
}

interface Drawn {
  shape: ShapeName;
  x: number;
  y: number;
  radius: number;
  turn: number;
}

/** Pictures of simple shapes and their COCO file, some of whose labels are wrong. */
export interface ShapesData {
  images: string;
  annotations: string;
  /** The planted error of each picture, by file name; null for a right label. */
  truth: ReadonlyMap<string, ShapeError | null>;
}

/** Draw the pictures and write a COCO file with planted errors; equal seeds give equal files. */
export async function drawShapes({ folder, images, size, wrongShare, seed }: ShapesOptions): Promise<ShapesData> {
  const place = join(folder, 'images');
  await mkdir(place, { recursive: true });
  const wrong = Math.round(images * wrongShare);
  const truth = new Map<string, ShapeError | null>();
  const coco = { images: [] as object[], annotations: [] as object[] };
  for (let at = 0; at < images; at++) {
    const random = seededRandom('shapes', seed, at);
    const fileName = `shapes-${String(at).padStart(4, '0')}.png`;
    const shapes = placeShapes(size, random);
    await writeFile(join(place, fileName), await picture(shapes, size, random));
    // The first ones are wrong: neither names nor pictures tell, and folds are drawn by seed.
    const error = at < wrong ? (SHAPE_ERRORS[at % SHAPE_ERRORS.length] as ShapeError) : null;
    truth.set(fileName, error);
    coco.images.push({ id: at + 1, file_name: fileName, width: size, height: size });
    for (const shape of error === null ? shapes : spoiled(shapes, error, size))
      coco.annotations.push({
        id: coco.annotations.length + 1,
        image_id: at + 1,
        category_id: SHAPES.indexOf(shape.shape) + 1,
        segmentation: [outline(shape).map((value) => Math.round(value * 10) / 10)],
        iscrowd: 0,
        note: `drawn as number ${coco.annotations.length + 1}`,
      });
  }
  const categories = SHAPES.map((name, index) => ({ id: index + 1, name, supercategory: 'shape' }));
  const annotations = join(folder, 'shapes.json');
  await writeFile(annotations, JSON.stringify({ info: { description: 'simple shapes' }, categories, ...coco }));
  return { images: place, annotations, truth };
}

/** Two to five shapes that do not touch. */
function placeShapes(size: number, random: () => number): Drawn[] {
  const wanted = 2 + Math.floor(random() * 4);
  const shapes: Drawn[] = [];
  for (let tried = 0; tried < PLACES && shapes.length < wanted; tried++) {
    const radius = size * (0.1 + 0.08 * random());
    const within = (): number => radius + random() * (size - 2 * radius);
    const shape = SHAPES[Math.floor(random() * SHAPES.length)] ?? 'circle';
    const drawn = { shape, x: within(), y: within(), radius, turn: random() * Math.PI };
    const isFree = shapes.every(({ x, y, radius: r }) => Math.hypot(x - drawn.x, y - drawn.y) > r + radius);
    if (isFree) shapes.push(drawn);
  }
  return shapes;
}

function spoiled([first, ...others]: readonly Drawn[], error: ShapeError, size: number): Drawn[] {
  if (first === undefined || (error === 'missing' && others.length > 0)) return others;
  if (error === 'shifted') {
    const x = first.x + first.radius * SHIFT * (first.x < size / 2 ? 1 : -1);
    return [{ ...first, x }, ...others];
  }
  const other = SHAPES[(SHAPES.indexOf(first.shape) + 1) % SHAPES.length] ?? 'circle';
  return [{ ...first, shape: other, turn: first.turn }, ...others];
}

/** x, y pairs. */
function outline({ shape, x, y, radius, turn }: Drawn): number[] {
  const corners = { circle: CIRCLE_CORNERS, square: 4, star: STAR_CORNERS }[shape];
  return Array.from({ length: corners }, (_, at) => {
    const angle = turn + (2 * Math.PI * at) / corners;
    const reach = shape === 'star' && at % 2 === 1 ? radius * STAR_DEPTH : radius;
    return [x + reach * Math.cos(angle), y + reach * Math.sin(angle)];
  }).flat();
}

async function picture(shapes: readonly Drawn[], size: number, random: () => number): Promise<Buffer> {
  const values = new Uint8Array(size * size);
  const colours = [Array.from({ length: 3 }, () => 90 + random() * 90)];
  for (const shape of shapes) {
    colours.push(COLOURS[shape.shape].map((value) => value + (random() - 0.5) * 2 * COLOUR_JITTER));
    fillRuns(values, polygonRuns(outline(shape), size, size), colours.length - 1);
  }
  const pixels = Buffer.alloc(size * size * 3);
  values.forEach((value, at) => {
    const noise = (random() - 0.5) * 2 * NOISE;
    for (let channel = 0; channel < 3; channel++)
      pixels[at * 3 + channel] = Math.max(0, Math.min(255, Math.round((colours[value]?.[channel] ?? 0) + noise)));
  });
  return sharp(pixels, { raw: { width: size, height: size, channels: 3 } })
    .png()
    .toBuffer();
}
