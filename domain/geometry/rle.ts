import { PartloopError } from '../errors.js';

/** Pixels of a raster, ends exclusive. */
export interface PixelBox {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

/**
 * COCO uncompressed run lengths of the pixels inside `box` for which `inside(pixel index, row by row)` holds: column by
 * column over `height` × `width`, starting with zeros, so that the counts sum to `width * height`.
 */
export function encodeRle(inside: (pixel: number) => boolean, box: PixelBox, width: number, height: number): number[] {
  const counts: number[] = [];
  let runEnd = 0;
  let open = -1;
  const close = (position: number): void => {
    counts.push(position - open);
    runEnd = position;
    open = -1;
  };
  for (let x = box.x0; x < box.x1; x++) {
    for (let y = box.y0; y < box.y1; y++) {
      const position = x * height + y;
      const set = inside(y * width + x);
      if (set && open < 0) {
        counts.push(position - runEnd);
        open = position;
      } else if (!set && open >= 0) close(position);
    }
    // A run goes on into the next column only where the box spans the whole column.
    if (open >= 0 && (box.y1 < height || box.y0 > 0)) close(x * height + box.y1);
  }
  if (open >= 0) close(box.x1 * height);
  if (runEnd < width * height || counts.length === 0) counts.push(width * height - runEnd);
  return counts;
}

/** The pixels of COCO uncompressed run lengths, row by row, 1 inside; throws `input-invalid` when the counts do not fit. */
export function decodeRle(counts: readonly number[], width: number, height: number): Uint8Array {
  const pixels = new Uint8Array(width * height);
  let position = 0;
  for (let run = 0; run < counts.length; run++) {
    const end = position + (counts[run] as number);
    if (end > pixels.length || end < position) {
      position = end;
      break;
    }
    if (run % 2 === 1) {
      for (let index = position; index < end; index++) {
        const x = (index / height) | 0;
        pixels[(index - x * height) * width + x] = 1;
      }
    }
    position = end;
  }
  if (position !== pixels.length) {
    throw new PartloopError(
      'input-invalid',
      `run lengths cover ${position} of ${pixels.length} pixels (${width}×${height})`,
      {
        hint: 'The mask was made for an image of another size, or was cut off on its way.',
      },
    );
  }
  return pixels;
}
