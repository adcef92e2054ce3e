import sharp from 'sharp';
import { seededRandom } from '../../domain/base/random.js';
import { segmentationShape } from '../../formats/coco/segmentation.js';
import { paintShapes } from '../../formats/paint.js';
import { encodeLabel } from '../../storage/pictures/labelMask.js';

export const SIZE = { width: 320, height: 240 } as const;
/** Spots of colour across and down: what they show differs from picture to picture, and so do perceptual hashes. */
const SPOTS = { width: 12, height: 9 } as const;
const PARTS = 8;
const CORNERS = 24;
const QUALITY = 85;

/** A labelled picture of a benchmark: nothing that anybody would know, but a real JPEG. */
export interface Drawn {
  jpeg: Buffer;
  /** Polygons of parts, as x, y pairs in pixels, with their label values. */
  parts: { value: number; ring: number[] }[];
}

/** The picture of a number; the same number gives the same bytes. */
export async function drawPicture(number: number, classes: number): Promise<Drawn> {
  const random = seededRandom('import picture', number);
  const spots = Uint8Array.from({ length: SPOTS.width * SPOTS.height * 3 }, () => Math.floor(random() * 256));
  const jpeg = await sharp(spots, { raw: { ...SPOTS, channels: 3 } })
    .resize(SIZE.width, SIZE.height, { fit: 'fill' })
    .jpeg({ quality: QUALITY })
    .toBuffer();
  const parts = Array.from({ length: PARTS }, () => ({
    value: 1 + Math.floor(random() * classes),
    ring: blob(random),
  }));
  return { jpeg, parts };
}

/** The index mask of the same parts, as a PNG: importing either gives the same label. */
export function drawMask(parts: Drawn['parts']): Promise<Buffer> {
  const shapes = parts.map(({ value, ring }) => segmentationShape([ring], value, SIZE));
  return encodeLabel(paintShapes(shapes, SIZE), SIZE.width, SIZE.height);
}

function blob(random: () => number): number[] {
  const [x, y, radius] = [random() * SIZE.width, random() * SIZE.height, 12 + random() * 40];
  return Array.from({ length: CORNERS }, (_, corner) => {
    const [angle, length] = [(2 * Math.PI * corner) / CORNERS, radius * (0.7 + 0.3 * random())];
    const at = [x + length * Math.cos(angle), y + length * Math.sin(angle)];
    return at.map((value, axis) => within(value, axis === 0 ? SIZE.width : SIZE.height));
  }).flat();
}

const within = (value: number, side: number): number => Math.round(Math.max(0, Math.min(side, value)) * 10) / 10;
