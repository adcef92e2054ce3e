import { PartloopError } from '../domain/base/errors.js';
import { fillRuns, MAX_CROSSINGS, polygonRuns, runsArea } from '../domain/geometry/polygon.js';
import { paintRle, rleArea } from '../domain/geometry/rle.js';

/** Largest number of pixels of all shapes of an image together: a picture of 12 megapixels 178 times over. */
const MAX_PAINTED = 2 ** 31;

/** The picture to paint on. */
export interface Canvas {
  width: number;
  height: number;
}

/** A shape that somebody drew as one: pixels of one class. */
export interface Shape {
  value: number;
  /** Its own pixels inside the picture; this number decides which shape is on top. */
  area: number;
  /** Number of numbers that it keeps in memory. */
  size: number;
  paint(raster: Uint8Array): void;
}

/**
 * The raster of shapes: the smaller one is on top; if areas are equal, the later one.
 *
 * If two shapes overlap, one of them loses the shared pixels. With this rule it is the one that loses the smaller part
 * of itself: a handle on a door stays, whatever the order of the file, and no shape vanishes below a larger one.
 * Ultralytics draws in this way. COCO has no order of its own (`annToMask` draws each annotation by itself), and COCO
 * files of CVAT and Label Studio do not record which shape was on top.
 *
 * @throws PartloopError `data-invalid` if there are more shapes than in any picture (`MAX_PAINTED`, `MAX_CROSSINGS`)
 */
export function paintShapes(shapes: Iterable<Shape>, { width, height }: Canvas): Uint8Array {
  const sorted: Shape[] = [];
  let painted = 0;
  let kept = 0;
  for (const shape of shapes) {
    sorted.push(shape);
    painted += shape.area;
    kept += shape.size;
    if (painted > MAX_PAINTED)
      throw new PartloopError(
        'data-invalid',
        `its shapes cover the picture ${Math.floor(painted / (width * height))} times over: no picture has so many`,
      );
    if (kept > 2 * MAX_CROSSINGS)
      throw new PartloopError(
        'data-invalid',
        `its shapes are too ragged: they are in over ${MAX_CROSSINGS} runs of pixels`,
      );
  }
  sorted.sort((a, b) => b.area - a.area);
  const raster = new Uint8Array(width * height);
  for (const { paint } of sorted) paint(raster);
  return raster;
}

/** The pixels inside any of some rings of x, y pairs in pixels; each ring by the even-odd rule. */
export function polygonShape(rings: readonly (readonly number[])[], value: number, { width, height }: Canvas): Shape {
  const [only, ...more] = rings.map((ring) => polygonRuns(ring, width, height));
  return runsShape(
    only === undefined || more.length === 0 ? (only ?? new Int32Array(0)) : union([only, ...more]),
    value,
  );
}

/** Pixels as runs in ascending order, row by row. */
export function runsShape(runs: Int32Array, value: number): Shape {
  return { value, area: runsArea(runs), size: runs.length, paint: (raster) => fillRuns(raster, runs, value) };
}

/**
 * The pixels of COCO's uncompressed run lengths.
 *
 * @throws PartloopError `data-invalid` if they are not those of this picture
 */
export function rleShape(counts: readonly number[], value: number, { width, height }: Canvas): Shape {
  return {
    value,
    area: rleArea(counts, width, height),
    size: counts.length,
    paint: (raster) => paintRle(raster, width, height, counts, value),
  };
}

/** The runs of several lists, without overlaps, ascending. */
function union(lists: readonly Int32Array[]): Int32Array {
  const all = new Int32Array(lists.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const list of lists) {
    all.set(list, end);
    end += list.length;
  }
  const order = Uint32Array.from({ length: all.length / 2 }, (_, run) => 2 * run);
  order.sort((a, b) => (all[a] as number) - (all[b] as number));
  const merged = new Int32Array(all.length);
  let length = 0;
  for (const run of order) {
    const from = all[run] as number;
    const to = all[run + 1] as number;
    if (length > 0 && from <= (merged[length - 1] as number)) {
      merged[length - 1] = Math.max(to, merged[length - 1] as number);
    } else {
      merged[length] = from;
      merged[length + 1] = to;
      length += 2;
    }
  }
  return merged.subarray(0, length);
}
