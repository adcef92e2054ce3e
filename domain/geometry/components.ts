import { PartloopError } from '../base/errors.js';

/** A connected region of one value. Ends of the box are exclusive. */
export interface Component {
  id: number;
  value: number;
  area: number;
  x0: number;
  y0: number;
  x1: number;
  y1: number;
  /** Touches the edge of the raster. */
  atEdge: boolean;
}

export interface Components {
  /** Component id per pixel; -1 if the pixel's value is left out. */
  ids: Int32Array;
  list: Component[];
}

/**
 * Connected components (8 neighbours) of equal value over a `width` × `height` raster, row by row. Values whose entry
 * in `skip` (length 256) is 1 belong to none. Ids count in the order of the components' first pixels, so that equal
 * rasters give equal ids. Works on runs of equal pixels, joined from row to row by union-find (He, Chao & Suzuki 2008):
 * linear in pixels, and cheap where regions are large.
 *
 * @throws PartloopError `data-invalid` if there are more than `atMost`
 */
export function connectedComponents(
  values: Uint8Array,
  width: number,
  height: number,
  skip: Uint8Array,
  atMost = Number.POSITIVE_INFINITY,
): Components {
  const runs = findRuns(values, width, height, skip);
  const { starts, ends, count } = runs;
  const { idOf, components } = nameRuns(runs);
  if (components > atMost)
    throw new PartloopError('data-invalid', `its label is in ${components} pieces, more than ${atMost}`);
  const ids = new Int32Array(width * height).fill(-1);
  const list: Component[] = [];
  for (let run = 0; run < count; run++) {
    const id = idOf[run] as number;
    const start = starts[run] as number;
    const end = ends[run] as number;
    const y = (start / width) | 0;
    const x0 = start - y * width;
    const x1 = end - y * width;
    ids.fill(id, start, end);
    if (id === list.length)
      list.push({ id, value: values[start] as number, area: 0, x0, y0: y, x1, y1: y + 1, atEdge: false });
    const component = list[id] as Component;
    component.area += end - start;
    if (x0 < component.x0) component.x0 = x0;
    if (x1 > component.x1) component.x1 = x1;
    component.y1 = y + 1;
  }
  for (const component of list) {
    const { x0, y0, x1, y1 } = component;
    component.atEdge = x0 === 0 || y0 === 0 || x1 === width || y1 === height;
  }
  return { ids, list };
}

/** Only the ids and their number: a speckled picture with millions of components does not fill the memory. */
export function componentIds(
  values: Uint8Array,
  width: number,
  height: number,
  skip: Uint8Array,
): { ids: Int32Array; components: number } {
  const runs = findRuns(values, width, height, skip);
  const { idOf, components } = nameRuns(runs);
  const ids = new Int32Array(width * height).fill(-1);
  for (let run = 0; run < runs.count; run++) ids.fill(idOf[run] as number, runs.starts[run], runs.ends[run]);
  return { ids, components };
}

/** Component of each run; a root comes before all others of its component. */
function nameRuns({ parents, count }: Runs): { idOf: Int32Array; components: number } {
  const idOf = new Int32Array(count);
  let components = 0;
  for (let run = 0; run < count; run++) {
    const root = rootOf(parents, run);
    idOf[run] = root === run ? components++ : (idOf[root] as number);
  }
  return { idOf, components };
}

interface Runs {
  /** First pixel of each run, and the one after its last. */
  starts: Int32Array;
  ends: Int32Array;
  /** Union-find over runs; a root is the first run of its component. */
  parents: Int32Array;
  count: number;
}

function findRuns(values: Uint8Array, width: number, height: number, skip: Uint8Array): Runs {
  let starts = new Int32Array(4_096);
  let ends = new Int32Array(4_096);
  let parents = new Int32Array(4_096);
  let count = 0;
  let above = 0;
  for (let y = 0; y < height; y++) {
    const row = y * width;
    const aboveEnd = count;
    if (count + width > starts.length) {
      const length = 2 * (count + width);
      starts = grown(starts, length);
      ends = grown(ends, length);
      parents = grown(parents, length);
    }
    const first = count;
    for (let x = 0; x < width; ) {
      const value = values[row + x] as number;
      const start = row + x;
      do x++;
      while (x < width && values[row + x] === value);
      if (skip[value] === 1) continue;
      const end = row + x;
      const run = count++;
      starts[run] = start;
      ends[run] = end;
      parents[run] = run;
      // Runs of the row above that touch this one, including at corners.
      while (above < aboveEnd && (ends[above] as number) + width < start) above++;
      for (let other = above; other < aboveEnd && (starts[other] as number) + width <= end; other++) {
        if (values[starts[other] as number] === value) join(parents, other, run);
      }
    }
    above = first;
  }
  return { starts, ends, parents, count };
}

function rootOf(parents: Int32Array, run: number): number {
  let at = run;
  while (parents[at] !== at) {
    parents[at] = parents[parents[at] as number] as number;
    at = parents[at] as number;
  }
  return at;
}

function join(parents: Int32Array, one: number, other: number): void {
  const a = rootOf(parents, one);
  const b = rootOf(parents, other);
  if (a < b) parents[b] = a;
  else parents[a] = b;
}

function grown(from: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  const to = new Int32Array(length);
  to.set(from);
  return to;
}

/** A skip table for `connectedComponents`: 1 at the given values. */
export function skipValues(...values: readonly number[]): Uint8Array {
  const skip = new Uint8Array(256);
  for (const value of values) skip[value] = 1;
  return skip;
}
