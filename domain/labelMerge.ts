import { connectedComponents, skipValues } from './geometry/components.js';
import { BACKGROUND } from './taxonomy.js';

/** Pixels around a deep change that belong to it: where its corners are sharp, its rim is two wide. */
const RIM = 2;

/** One image that came back from an annotation tool. All rasters hold label values, `width` × `height`, row by row. */
export interface ReturnedLabel {
  width: number;
  height: number;
  /** The label as it was when it was exported. */
  original: Uint8Array;
  /** What an untouched export would read as: the exported classes, less what the format itself loses. */
  reference: Uint8Array;
  returned: Uint8Array;
  /** It came back as polygons, whose edges tools place up to a pixel elsewhere. */
  polygons: boolean;
  /** Take holes that came back filled as corrections; else only where `expected` says that the scan asked for it. */
  fillHoles: boolean;
  expected(box: { x0: number; y0: number; x1: number; y1: number }): boolean;
}

export interface MergedLabel {
  label: Uint8Array;
  /** Pixels that now have another value. */
  changed: number;
  /** Holes that came back filled and were kept open, and their pixels. */
  holes: { count: number; pixels: number };
  /** Pixels along edges that only the polygons moved. */
  edgePixels: number;
}

/**
 * A reviewer's changes on top of the exported label: where what came back differs from what went out. Classes that were not
 * exported stay, and what a format or a tool loses by itself never reaches the pool.
 */
export function mergeReturned(input: ReturnedLabel): MergedLabel {
  const { original, reference, returned, polygons } = input;
  const differs = new Uint8Array(returned.length);
  for (let pixel = 0; pixel < returned.length; pixel++) {
    if (returned[pixel] !== reference[pixel]) differs[pixel] = 1;
  }
  const holes = keepHoles(input, differs);
  const edgePixels = polygons ? keepEdges(input, differs) : 0;
  const label = Uint8Array.from(original, (value, pixel) =>
    differs[pixel] === 1 ? (returned[pixel] as number) : value,
  );
  let changed = 0;
  for (let pixel = 0; pixel < label.length; pixel++) if (label[pixel] !== original[pixel]) changed++;
  return { label, changed, holes, edgePixels };
}

/** A hole is unlabelled in the export and has one class all around it. */
function keepHoles(
  { width, height, original, reference, returned, fillHoles, expected }: ReturnedLabel,
  differs: Uint8Array,
): MergedLabel['holes'] {
  const labelled = Array.from({ length: 255 }, (_, value) => value + 1);
  const { ids, list } = connectedComponents(reference, width, height, skipValues(...labelled));
  const around = surroundings(ids, list.length, reference, width, height);
  const filled = Uint8Array.from(around, (value) => (value > BACKGROUND ? 1 : 0));
  const hidden = new Uint8Array(list.length);
  ids.forEach((id, pixel) => {
    if (id < 0) return;
    if (returned[pixel] !== around[id]) filled[id] = 0;
    if (original[pixel] !== BACKGROUND) hidden[id] = 1;
  });
  const kept = list.map(
    (hole) => !hole.atEdge && filled[hole.id] === 1 && (hidden[hole.id] === 1 || !(fillHoles || expected(hole))),
  );
  const lost = { count: 0, pixels: 0 };
  for (const hole of list) {
    if (kept[hole.id] !== true) continue;
    lost.count += 1;
    lost.pixels += hole.area;
  }
  ids.forEach((id, pixel) => {
    if (id >= 0 && kept[id] === true) differs[pixel] = 0;
  });
  return lost;
}

/** The one value around each component; -1 where there are several. */
function surroundings(
  ids: Int32Array,
  components: number,
  values: Uint8Array,
  width: number,
  height: number,
): Int16Array {
  const around = new Int16Array(components);
  const see = (id: number, x: number, y: number): void => {
    if (x < 0 || y < 0 || x >= width || y >= height) return;
    const value = values[y * width + x] as number;
    if (value === BACKGROUND || around[id] === value) return;
    around[id] = around[id] === 0 ? value : -1;
  };
  ids.forEach((id, pixel) => {
    if (id < 0) return;
    const y = Math.floor(pixel / width);
    const x = pixel - y * width;
    see(id, x - 1, y);
    see(id, x + 1, y);
    see(id, x, y - 1);
    see(id, x, y + 1);
  });
  return around;
}

/**
 * An edge moved by a pixel: both values, the old and the new one, are next to the pixel in the export. The rim of a change that
 * goes deeper is part of that change.
 */
function keepEdges({ width, height, reference, returned }: ReturnedLabel, differs: Uint8Array): number {
  const around = (pixel: number, visit: (neighbour: number) => void): void => {
    const y = Math.floor(pixel / width);
    const x = pixel - y * width;
    for (let row = Math.max(0, y - 1); row <= Math.min(height - 1, y + 1); row++)
      for (let column = Math.max(0, x - 1); column <= Math.min(width - 1, x + 1); column++) visit(row * width + column);
  };
  const edges = new Set<number>();
  let front: number[] = [];
  for (let pixel = 0; pixel < differs.length; pixel++) {
    if (differs[pixel] !== 1) continue;
    let near = false;
    around(pixel, (other) => {
      near ||= reference[other] === returned[pixel];
    });
    if (near) edges.add(pixel);
    else front.push(pixel);
  }
  for (let ring = 0; ring < RIM && front.length > 0; ring++) {
    const next: number[] = [];
    for (const pixel of front) {
      around(pixel, (other) => {
        if (reference[other] !== reference[pixel] || returned[other] !== returned[pixel]) return;
        if (edges.delete(other)) next.push(other);
      });
    }
    front = next;
  }
  for (const pixel of edges) differs[pixel] = 0;
  return edges.size;
}
