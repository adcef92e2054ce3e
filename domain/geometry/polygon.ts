import { PartloopError } from '../base/errors.js';

/**
 * Most rows that the edges of one polygon may cross, each edge counted separately. An outline around 16 million single
 * pixels has this many; no part does. With more, the list of crossings would fill the memory.
 */
export const MAX_CROSSINGS = 2 ** 25;

/** Rows with more crossings are sorted by the runtime instead of by insertion. */
const FEW = 24;

/**
 * The pixels of a polygon as runs of a `width` × `height` raster: pairs of first pixel and the one after the last, in
 * ascending order. A pixel belongs to it if its centre does, by the even-odd rule. `ring` holds x, y pairs in pixels of
 * the raster; the ring closes itself. The cost depends on the ring's points and crossings of rows, not on the raster.
 *
 * @throws PartloopError `data-invalid` if the edges cross more than `MAX_CROSSINGS` rows
 */
export function polygonRuns(ring: readonly number[], width: number, height: number): Int32Array {
  const { first, offsets } = crossingsByRow(ring, height);
  const rows = offsets.length - 1;
  const columns = new Int32Array(offsets[rows] as number);
  const next = offsets.slice();
  const points = ring.length >> 1;
  for (let point = 0; point < points; point++) {
    const other = point + 1 === points ? 0 : point + 1;
    const y0 = ring[2 * point + 1] as number;
    const y1 = ring[2 * other + 1] as number;
    const x0 = ring[2 * point] as number;
    const x1 = ring[2 * other] as number;
    const last = Math.min(height, rowFrom(Math.max(y0, y1)));
    for (let y = Math.max(0, rowFrom(Math.min(y0, y1))); y < last; y++) {
      const x = x0 + ((y + 0.5 - y0) / (y1 - y0)) * (x1 - x0);
      const at = next[y - first] as number;
      columns[at] = Math.min(width, Math.max(0, Math.ceil(x - 0.5)));
      next[y - first] = at + 1;
    }
  }
  return pairRuns(columns, offsets, first, width);
}

/** Paint a polygon into a raster, by the rule of `polygonRuns`. */
export function fillPolygon(
  raster: Uint8Array,
  width: number,
  height: number,
  ring: readonly number[],
  value: number,
): void {
  fillRuns(raster, polygonRuns(ring, width, height), value);
}

/** Set the pixels of runs, as `polygonRuns` makes them, to a value. */
export function fillRuns(raster: Uint8Array, runs: Int32Array, value: number): void {
  for (let run = 0; run < runs.length; run += 2) raster.fill(value, runs[run], runs[run + 1]);
}

/** Number of pixels in runs that do not overlap. */
export function runsArea(runs: Int32Array): number {
  let area = 0;
  for (let run = 0; run < runs.length; run += 2) area += (runs[run + 1] as number) - (runs[run] as number);
  return area;
}

/** The first row whose centre is not above `y`. */
function rowFrom(y: number): number {
  const row = Math.ceil(y - 0.5);
  // The subtraction rounds: the centres themselves decide.
  if (row + 0.5 < y) return row + 1;
  return row - 0.5 >= y ? row - 1 : row;
}

/**
 * The index in one list of all crossings at which those of each row begin; `first` is the topmost row with a crossing.
 */
function crossingsByRow(ring: readonly number[], height: number): { first: number; offsets: Int32Array } {
  let top = Number.POSITIVE_INFINITY;
  let bottom = Number.NEGATIVE_INFINITY;
  for (let at = 1; at < ring.length; at += 2) {
    const y = ring[at] as number;
    if (y < top) top = y;
    if (y > bottom) bottom = y;
  }
  const first = Math.max(0, rowFrom(top));
  const rows = Math.min(height, rowFrom(bottom)) - first;
  if (!(rows > 0)) return { first: 0, offsets: new Int32Array(1) };
  const begin = new Int32Array(rows + 1);
  const points = ring.length >> 1;
  let total = 0;
  for (let point = 0; point < points; point++) {
    const y0 = ring[2 * point + 1] as number;
    const y1 = ring[2 * (point + 1 === points ? 0 : point + 1) + 1] as number;
    const from = Math.max(0, rowFrom(Math.min(y0, y1))) - first;
    const to = Math.min(height, rowFrom(Math.max(y0, y1))) - first;
    if (!(to > from)) continue;
    begin[from] = (begin[from] as number) + 1;
    begin[to] = (begin[to] as number) - 1;
    total += to - from;
  }
  if (total > MAX_CROSSINGS)
    throw new PartloopError(
      'data-invalid',
      `one of its polygons has ${points} points and crosses ${total} rows of pixels, more than ${MAX_CROSSINGS}: it is not an outline`,
      { hint: 'Simplify it, or give the part as a mask.' },
    );
  // From changes at each row to crossings of each row, and from these to their first indices.
  const offsets = new Int32Array(rows + 1);
  for (let row = 0, crossings = 0; row < rows; row++) {
    crossings += begin[row] as number;
    offsets[row + 1] = (offsets[row] as number) + crossings;
  }
  return { first, offsets };
}

function pairRuns(columns: Int32Array, offsets: Int32Array, first: number, width: number): Int32Array {
  const runs = new Int32Array(columns.length);
  let length = 0;
  for (let row = 0; row + 1 < offsets.length; row++) {
    const from = offsets[row] as number;
    const to = offsets[row + 1] as number;
    sortPart(columns, from, to);
    const start = (first + row) * width;
    for (let pair = from; pair + 1 < to; pair += 2) {
      const x0 = columns[pair] as number;
      const x1 = columns[pair + 1] as number;
      if (x1 <= x0) continue;
      runs[length] = start + x0;
      runs[length + 1] = start + x1;
      length += 2;
    }
  }
  return length === runs.length ? runs : runs.slice(0, length);
}

function sortPart(values: Int32Array, from: number, to: number): void {
  if (to - from > FEW) {
    values.subarray(from, to).sort();
    return;
  }
  for (let at = from + 1; at < to; at++) {
    const value = values[at] as number;
    let place = at;
    for (; place > from && (values[place - 1] as number) > value; place--) values[place] = values[place - 1] as number;
    values[place] = value;
  }
}
