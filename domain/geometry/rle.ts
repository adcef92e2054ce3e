import { PartloopError } from '../base/errors.js';

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
    // A run continues in the next column only if the box spans the whole column.
    if (open >= 0 && (box.y1 < height || box.y0 > 0)) close(x * height + box.y1);
  }
  if (open >= 0) close(box.x1 * height);
  if (runEnd < width * height || counts.length === 0) counts.push(width * height - runEnd);
  return counts;
}

/** The same from runs of positions, column by column: pairs of the first and the one after the last, ascending. */
export function rleOfRuns(runs: Int32Array, pixels: number): number[] {
  const counts: number[] = [];
  let end = 0;
  for (let run = 0; run < runs.length; run += 2) {
    const from = runs[run] as number;
    const to = runs[run + 1] as number;
    counts.push(from - end, to - from);
    end = to;
  }
  if (end < pixels || counts.length === 0) counts.push(pixels - end);
  return counts;
}

/**
 * The number of pixels inside COCO uncompressed run lengths.
 *
 * @throws PartloopError `data-invalid` if they are not those of a `width` × `height` raster
 */
export function rleArea(counts: readonly number[], width: number, height: number): number {
  let covered = 0;
  let area = 0;
  for (let run = 0; run < counts.length; run++) {
    const length = counts[run] as number;
    if (!(length >= 0)) {
      covered = Number.NaN;
      break;
    }
    covered += length;
    if (run % 2 === 1) area += length;
  }
  if (covered === width * height) return area;
  const found = Number.isNaN(covered) ? 'have a negative run' : `cover ${covered} of ${width * height} pixels`;
  throw new PartloopError('data-invalid', `its run lengths ${found} (${width}×${height})`, {
    hint: 'The mask was made for an image of another size, or it was cut off.',
  });
}

/** Paint COCO uncompressed run lengths, known to be of this size (`rleArea`), into a raster that lies row by row. */
export function paintRle(
  raster: Uint8Array,
  width: number,
  height: number,
  counts: readonly number[],
  value: number,
): void {
  let position = 0;
  for (let run = 0; run < counts.length; run++) {
    const end = position + (counts[run] as number);
    if (run % 2 === 1) {
      for (let x = Math.floor(position / height), y = position - x * height; position < end; x++, y = 0) {
        const bottom = Math.min(height, y + end - position);
        for (let pixel = y * width + x; pixel < bottom * width; pixel += width) raster[pixel] = value;
        position += bottom - y;
      }
    }
    position = end;
  }
}

/**
 * The pixels of COCO uncompressed run lengths, row by row, 1 inside; throws `data-invalid` if the counts do not fit.
 */
export function decodeRle(counts: readonly number[], width: number, height: number): Uint8Array {
  rleArea(counts, width, height);
  const pixels = new Uint8Array(width * height);
  paintRle(pixels, width, height, counts, 1);
  return pixels;
}
