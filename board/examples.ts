import sharp from 'sharp';
import { z } from 'zod';
import { parseText } from '../domain/base/jsonText.js';
import { resizeNearest } from '../domain/geometry/resize.js';
import type { IndexRow } from '../domain/tables.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';
import { readImage, readLabel } from '../storage/pictures/imageSource.js';
import { decodeLabel, type LabelMask } from '../storage/pictures/labelMask.js';
import { openPicture } from '../storage/pictures/picture.js';
import type { FoundScan } from '../storage/scans.js';
import { streamObjectCells } from '../storage/tables/typedColumns.js';

/** Examples of each class. */
const PER_CLASS = 2;
const WIDTH = 220;
const AROUND = 0.25;
const QUALITY = 85;

const SELECTION = ['imageId', 'findings::DOUBLE', 'quarantined', 'classIou'] as const;
const [IMAGE, FINDINGS, QUARANTINED, CLASS_IOU] = [0, 1, 2, 3];
const classIouSchema = z.record(z.string(), z.number());

/** By label value: the images without findings in which label and model agree most about the class. */
export async function clearestImages(store: ObjectStore, scan: FoundScan): Promise<Map<number, string[]>> {
  const best = new Map<number, { imageId: string; iou: number }[]>();
  for await (const { rows, cell } of streamObjectCells(store, scan.images, SELECTION, {}))
    for (let row = 0; row < rows; row++) {
      if (cell(FINDINGS, row) !== 0 || cell(QUARANTINED, row) === true) continue;
      const text = String(cell(CLASS_IOU, row));
      const known = classIouSchema.safeParse(parseText(text, 'column classIou of a scanned image'));
      const imageId = String(cell(IMAGE, row));
      for (const [value, iou] of Object.entries(known.data ?? {})) {
        const there = best.get(Number(value)) ?? [];
        if (there.length === PER_CLASS && iou <= (there.at(-1)?.iou ?? 0)) continue;
        const own = [...there, { imageId, iou }].sort((a, b) => b.iou - a.iou);
        best.set(Number(value), own.slice(0, PER_CLASS));
      }
    }
  return new Map([...best].map(([value, own]) => [value, own.map(({ imageId }) => imageId)]));
}

/** The part of a picture that shows a class, WebP, with the outline of its label. */
export async function examplePicture(store: ObjectStore, row: IndexRow, value: number): Promise<Buffer> {
  const label = await decodeLabel(await readLabel(store, row), `label of ${row.fileName}`);
  const { pixels } = await openPicture(await readImage(store, row));
  const { left, top, width, height } = surroundings(label, value);
  const size = { width: WIDTH, height: Math.max(1, Math.round((WIDTH * height) / width)) };
  const cut = await pixels.extract({ left, top, width, height }).resize(size).png().toBuffer();
  const mask = new Uint8Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      mask[y * width + x] = label.pixels[(top + y) * label.width + left + x] === value ? 1 : 0;
  const outline = outlineOf(resizeNearest(mask, width, height, size.width, size.height), size);
  return sharp(cut)
    .composite([{ input: outline, raw: { ...size, channels: 4 } }])
    .webp({ quality: QUALITY, effort: 1 })
    .toBuffer();
}

/** The class with some of what is around it; the whole picture if the class is not in it. */
function surroundings({ pixels, width, height }: LabelMask, value: number) {
  let [x0, y0, x1, y1] = [width, height, 0, 0];
  for (let pixel = 0; pixel < pixels.length; pixel++) {
    if (pixels[pixel] !== value) continue;
    const y = Math.floor(pixel / width);
    const x = pixel - y * width;
    x0 = Math.min(x0, x);
    x1 = Math.max(x1, x + 1);
    y0 = Math.min(y0, y);
    y1 = Math.max(y1, y + 1);
  }
  if (x1 === 0) return { left: 0, top: 0, width, height };
  const margin = Math.round(AROUND * Math.max(x1 - x0, y1 - y0)) + 1;
  const left = Math.max(0, x0 - margin);
  const top = Math.max(0, y0 - margin);
  return { left, top, width: Math.min(width, x1 + margin) - left, height: Math.min(height, y1 + margin) - top };
}

/** RGBA: white lines with a dark rim where the mask ends. */
function outlineOf(mask: Uint8Array, { width, height }: { width: number; height: number }): Buffer {
  const rgba = Buffer.alloc(width * height * 4);
  for (let y = 1; y < height; y++)
    for (let x = 1; x < width; x++) {
      const at = y * width + x;
      if (mask[at] === mask[at - 1] && mask[at] === mask[at - width]) continue;
      rgba.set([255, 255, 255, 255], at * 4);
      const rim = (at - width - 1) * 4;
      if (rgba[rim + 3] === 0) rgba.set([0, 0, 0, 150], rim);
    }
  return rgba;
}
