/** A region's outline along pixel edges: flat lists of x, y at whole numbers; rings close themselves. */
export interface Outline {
  outer: number[];
  holes: number[][];
}

/** Steps along pixel edges: east, south, west, north. */
const STEP_X = [1, 0, -1, 0] as const;
const STEP_Y = [0, 1, 0, -1] as const;
/** The pixel on the right of an edge that leaves a corner of the grid in this direction, relative to the corner. */
const RIGHT_X = [0, -1, -1, 0] as const;
const RIGHT_Y = [0, 0, -1, -1] as const;
/**
 * The pixel on the left beyond a corner that is reached in this direction; the one on the right is `RIGHT_X`,
 * `RIGHT_Y`.
 */
const LEFT_X = [0, 0, -1, -1] as const;
const LEFT_Y = [-1, 0, 0, -1] as const;

/**
 * The outlines of regions of 8-connected pixels, by region id (`connectedComponents`); outlines of regions not in
 * `wanted` stay empty. Even-odd filling of the outer ring and the holes by pixel centres restores the pixels exactly.
 * Rings run with the region on their right, begin at their topmost corner, the leftmost of several, and may touch
 * themselves at corners. All regions are traced in one walk over the raster: linear in its pixels, however the regions
 * are nested.
 */
export function traceOutlines(
  ids: Int32Array,
  width: number,
  height: number,
  regions: number,
  wanted: (id: number) => boolean = () => true,
): Outline[] {
  const outlines = Array.from({ length: regions }, (): Outline => ({ outer: [], holes: [] }));
  const left = openSides(ids, width, height, wanted);
  for (let y = 0; y <= height; y++) {
    for (let x = 0; x <= width; x++) {
      for (let direction = 0; direction < 4; direction++) {
        const column = x + (RIGHT_X[direction] as number);
        const row = y + (RIGHT_Y[direction] as number);
        if (column < 0 || row < 0 || column >= width || row >= height) continue;
        const pixel = row * width + column;
        if (((left[pixel] as number) & (1 << direction)) === 0) continue;
        const ring = walk(x, y, direction, ids, left, width, height);
        const outline = outlines[ids[pixel] as number] as Outline;
        // The topmost edge of a region is part of its outer ring.
        if (outline.outer.length === 0) outline.outer = ring;
        else outline.holes.push(ring);
      }
    }
  }
  return outlines;
}

/** A bit for each side of a pixel (top, right, bottom, left) with another region beyond it. */
function openSides(ids: Int32Array, width: number, height: number, wanted: (id: number) => boolean): Uint8Array {
  const sides = new Uint8Array(ids.length);
  for (let y = 0, pixel = 0; y < height; y++) {
    for (let x = 0; x < width; x++, pixel++) {
      const id = ids[pixel] as number;
      if (id < 0 || !wanted(id)) continue;
      sides[pixel] =
        (y === 0 || ids[pixel - width] !== id ? 1 : 0) |
        (x === width - 1 || ids[pixel + 1] !== id ? 2 : 0) |
        (y === height - 1 || ids[pixel + width] !== id ? 4 : 0) |
        (x === 0 || ids[pixel - 1] !== id ? 8 : 0);
    }
  }
  return sides;
}

/** Turning left wherever there is a choice keeps pixels that touch at a corner in one ring. */
function walk(
  startX: number,
  startY: number,
  first: number,
  ids: Int32Array,
  left: Uint8Array,
  width: number,
  height: number,
): number[] {
  const idAt = (x: number, y: number): number =>
    x < 0 || y < 0 || x >= width || y >= height ? -1 : (ids[y * width + x] as number);
  const id = idAt(startX + (RIGHT_X[first] as number), startY + (RIGHT_Y[first] as number));
  const ring: number[] = [];
  let [x, y, direction] = [startX, startY, first];
  do {
    const side = (y + (RIGHT_Y[direction] as number)) * width + x + (RIGHT_X[direction] as number);
    left[side] = (left[side] as number) & ~(1 << direction);
    x += STEP_X[direction] as number;
    y += STEP_Y[direction] as number;
    let next = direction;
    if (idAt(x + (LEFT_X[direction] as number), y + (LEFT_Y[direction] as number)) === id) next = (direction + 3) & 3;
    else if (idAt(x + (RIGHT_X[direction] as number), y + (RIGHT_Y[direction] as number)) !== id)
      next = (direction + 1) & 3;
    if (next !== direction) ring.push(x, y);
    direction = next;
  } while (x !== startX || y !== startY || direction !== first);
  return ring;
}
