import sharp from 'sharp';
import { decodeRle } from '../domain/geometry/rle.js';
import { openPicture } from '../storage/pictures/picture.js';

/** Long side of a report's pictures in pixels. */
export const PICTURE_SIDE = 320;
const QUALITY = 78;
const HIGHLIGHT = [255, 61, 127, 120] as const;
const OUTLINE = [255, 255, 255, 235] as const;
const OUTLINE_SHADE = [0, 0, 0, 130] as const;

/** Index values of a label, row by row. */
export interface Mask {
  pixels: Uint8Array;
  width: number;
  height: number;
}

/** The overlay of a picture. Boxes are fractions of the upright image. */
export interface Overlay {
  label: Mask | null;
  /** Run lengths of the proposed region on the model's square grid, column by column, zeros first (COCO). */
  proposal: { size: [number, number]; counts: number[] } | null;
  box: { x0: number; y0: number; x1: number; y1: number } | null;
  /** Label values whose outline is drawn; null draws all. */
  outlined: ReadonlySet<number> | null;
}

/**
 * A small picture as a WebP data URI: the upright image, the outline of the given label in white, and the proposed
 * region or, without one, the box tinted.
 *
 * @param bytes the image file
 */
export async function overlayPicture(
  bytes: Buffer,
  overlay: Overlay | null,
): Promise<{ src: string; width: number; height: number }> {
  const { pixels } = await openPicture(bytes);
  const { data: base, info } = await pixels
    .resize({ width: PICTURE_SIDE, height: PICTURE_SIDE, fit: 'inside', kernel: 'lanczos3' })
    .png()
    .toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  const layers =
    overlay === null
      ? []
      : [{ input: drawOverlay(overlay, width, height), raw: { width, height, channels: 4 as const } }];
  const webp = await sharp(base).composite(layers).webp({ quality: QUALITY }).toBuffer();
  return { src: `data:image/webp;base64,${webp.toString('base64')}`, width, height };
}

/** RGBA pixels of the overlay at the picture's size. */
export function drawOverlay({ label, proposal, box, outlined }: Overlay, width: number, height: number): Buffer {
  const rgba = Buffer.alloc(width * height * 4);
  const paint = (at: number, colour: readonly number[]) => rgba.set(colour, at * 4);
  const region = proposal === null ? null : decodeRle(proposal.counts, proposal.size[1], proposal.size[0]);
  const scale = proposal === null ? 0 : Math.max(...proposal.size) / Math.max(width, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const inRegion =
        region === null || proposal === null
          ? box !== null &&
            x >= box.x0 * width &&
            x < box.x1 * width &&
            y >= box.y0 * height &&
            y < box.y1 * height &&
            isFrame(x, y, box, width, height)
          : region[
              Math.min(proposal.size[0] - 1, Math.floor((y + 0.5) * scale)) * proposal.size[1] +
                Math.min(proposal.size[1] - 1, Math.floor((x + 0.5) * scale))
            ] === 1;
      if (inRegion) paint(y * width + x, HIGHLIGHT);
    }
  }
  if (label !== null) drawOutline(label, width, height, outlined, paint);
  return rgba;
}

/** A line where two label values meet: white with a dark rim, so that it shows on any paint. */
function drawOutline(
  label: Mask,
  width: number,
  height: number,
  outlined: ReadonlySet<number> | null,
  paint: (at: number, colour: readonly number[]) => void,
): void {
  const valueAt = (x: number, y: number): number => {
    const value =
      label.pixels[
        Math.min(label.height - 1, Math.floor(((y + 0.5) * label.height) / height)) * label.width +
          Math.min(label.width - 1, Math.floor(((x + 0.5) * label.width) / width))
      ] ?? 0;
    return outlined === null || outlined.has(value) ? value : 0;
  };
  for (let y = 0; y < height - 1; y++) {
    for (let x = 0; x < width - 1; x++) {
      const value = valueAt(x, y);
      if (value === valueAt(x + 1, y) && value === valueAt(x, y + 1)) continue;
      paint(y * width + x, OUTLINE);
      paint((y + 1) * width + x + 1, OUTLINE_SHADE);
    }
  }
}

function isFrame(
  x: number,
  y: number,
  { x0, y0, x1, y1 }: NonNullable<Overlay['box']>,
  width: number,
  height: number,
): boolean {
  const line = 2.5;
  return x - x0 * width < line || x1 * width - x < line || y - y0 * height < line || y1 * height - y < line;
}
