import { componentIds, skipValues } from '../geometry/components.js';
import { BACKGROUND } from '../taxonomy.js';

/** Pixels around a deep change that belong to it: at sharp corners its rim is two pixels wide. */
const RIM = 2;

interface Box {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

/** One image that came back from an annotation tool. All rasters hold label values, `width` × `height`, row by row. */
export interface ReturnedLabel {
  width: number;
  height: number;
  /** The label as it was when it was exported. */
  original: Uint8Array;
  /** The content of an untouched export: the exported classes, without the losses of the format itself. */
  reference: Uint8Array;
  returned: Uint8Array;
  /** It came back as polygons, whose edges tools may move by up to a pixel. */
  polygons: boolean;
  /** Take holes that came back filled as corrections; otherwise only if `expected` says that the scan asked for it. */
  fillHoles: boolean;
  expected(box: Box): boolean;
}

export interface MergedLabel {
  label: Uint8Array;
  /** Pixels that now have another value. */
  changed: number;
  /** Holes that came back filled and were kept open, and their pixels. */
  holes: { count: number; pixels: number };
  /** Pixels along edges that only the conversion to polygons moved. */
  edgePixels: number;
}

/**
 * A reviewer's changes on top of the exported label: the pixels that differ between the export and its return. Classes
 * that were not exported stay, and losses of a format or a tool never reach the pool.
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

/**
 * Changes to a label, applied to its present version: `made` is the changed `original`, `current` the present label.
 * null if a pixel was changed in both to different values: nobody can tell which of the two is right.
 */
export function putOnTop(original: Uint8Array, made: Uint8Array, current: Uint8Array): Uint8Array | null {
  const label = Uint8Array.from(current);
  for (let pixel = 0; pixel < label.length; pixel++) {
    const value = made[pixel] as number;
    if (value === original[pixel] || value === current[pixel]) continue;
    if (current[pixel] !== original[pixel]) return null;
    label[pixel] = value;
  }
  return label;
}

/** A hole is unlabelled in the export and has one class all around it. */
function keepHoles(
  { width, height, original, reference, returned, fillHoles, expected }: ReturnedLabel,
  differs: Uint8Array,
): MergedLabel['holes'] {
  const labelled = Array.from({ length: 255 }, (_, value) => value + 1);
  const { ids, components } = componentIds(reference, width, height, skipValues(...labelled));
  const around = surroundings(ids, components, reference, width, height);
  const filled = Uint8Array.from(around, (value) => (value > BACKGROUND ? 1 : 0));
  const hidden = new Uint8Array(components);
  const areas = new Int32Array(components);
  ids.forEach((id, pixel) => {
    if (id < 0) return;
    areas[id] = (areas[id] as number) + 1;
    if (returned[pixel] !== around[id]) filled[id] = 0;
    if (original[pixel] !== BACKGROUND) hidden[id] = 1;
  });
  const boxes = boxesOf(ids, filled, width);
  const kept = Uint8Array.from(filled, (full, id) => {
    const box = boxes.get(id);
    if (full === 0 || box === undefined) return 0;
    const atEdge = box.x0 === 0 || box.y0 === 0 || box.x1 === width || box.y1 === height;
    return !atEdge && (hidden[id] === 1 || !(fillHoles || expected(box))) ? 1 : 0;
  });
  const lost = { count: 0, pixels: 0 };
  kept.forEach((is, id) => {
    if (is === 0) return;
    lost.count += 1;
    lost.pixels += areas[id] as number;
  });
  ids.forEach((id, pixel) => {
    if (id >= 0 && kept[id] === 1) differs[pixel] = 0;
  });
  return lost;
}

/** The boxes of the components concerned, ends exclusive. */
function boxesOf(ids: Int32Array, wanted: Uint8Array, width: number): Map<number, Box> {
  const boxes = new Map<number, Box>();
  ids.forEach((id, pixel) => {
    if (id < 0 || wanted[id] === 0) return;
    const y = Math.floor(pixel / width);
    const x = pixel - y * width;
    const box = boxes.get(id);
    if (box === undefined) boxes.set(id, { x0: x, y0: y, x1: x + 1, y1: y + 1 });
    else {
      box.x0 = Math.min(box.x0, x);
      box.x1 = Math.max(box.x1, x + 1);
      box.y1 = y + 1;
    }
  });
  return boxes;
}

/** The only value around each component; -1 if there are several. */
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
 * An edge moved by a pixel: both values, the old and the new one, are next to the pixel in the export. The rim of a
 * change that goes deeper is part of that change.
 */
function keepEdges({ width, height, reference, returned }: ReturnedLabel, differs: Uint8Array): number {
  const around = (pixel: number, visit: (neighbour: number) => void): void => {
    const y = Math.floor(pixel / width);
    const x = pixel - y * width;
    for (let row = Math.max(0, y - 1); row <= Math.min(height - 1, y + 1); row++)
      for (let column = Math.max(0, x - 1); column <= Math.min(width - 1, x + 1); column++) visit(row * width + column);
  };
  // A set holds at most 16 million entries; a large picture may have more edge pixels.
  const edges = new Uint8Array(differs.length);
  let front: number[] = [];
  for (let pixel = 0; pixel < differs.length; pixel++) {
    if (differs[pixel] !== 1) continue;
    let near = false;
    around(pixel, (other) => {
      near ||= reference[other] === returned[pixel];
    });
    if (near) edges[pixel] = 1;
    else front.push(pixel);
  }
  for (let ring = 0; ring < RIM && front.length > 0; ring++) {
    const next: number[] = [];
    for (const pixel of front) {
      around(pixel, (other) => {
        if (reference[other] !== reference[pixel] || returned[other] !== returned[pixel]) return;
        if (edges[other] !== 1) return;
        edges[other] = 0;
        next.push(other);
      });
    }
    front = next;
  }
  let kept = 0;
  for (let pixel = 0; pixel < edges.length; pixel++) {
    if (edges[pixel] !== 1) continue;
    differs[pixel] = 0;
    kept += 1;
  }
  return kept;
}
