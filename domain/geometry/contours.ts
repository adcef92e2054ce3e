import type { PixelBox } from './rle.js';

/** A region's outline along pixel edges: flat lists of x, y at whole numbers; rings close themselves. */
export interface Outline {
  outer: number[];
  holes: number[][];
}

const STEP = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
] as const;

/**
 * The outline of one region of 8-connected pixels inside `box`. Even-odd filling of the outer ring and the holes by pixel
 * centres gives the pixels back exactly. Rings run with the region on their right and may touch themselves at corners.
 */
export function traceOutline(inside: (x: number, y: number) => boolean, box: PixelBox): Outline {
  const columns = box.x1 - box.x0 + 1;
  const rows = box.y1 - box.y0 + 1;
  const within = (x: number, y: number): boolean =>
    x >= 0 && y >= 0 && x < columns - 1 && y < rows - 1 && inside(box.x0 + x, box.y0 + y);
  const edges = new Uint8Array(columns * rows);
  const add = (x: number, y: number, direction: number): void => {
    edges[y * columns + x] = (edges[y * columns + x] as number) | (1 << direction);
  };
  for (let y = 0; y < rows - 1; y++) {
    for (let x = 0; x < columns - 1; x++) {
      if (!within(x, y)) continue;
      if (!within(x, y - 1)) add(x, y, 0);
      if (!within(x + 1, y)) add(x + 1, y, 1);
      if (!within(x, y + 1)) add(x + 1, y + 1, 2);
      if (!within(x - 1, y)) add(x, y + 1, 3);
    }
  }
  const left = edges.slice();
  const rings: number[][] = [];
  for (let vertex = 0; vertex < left.length; vertex++) {
    while (left[vertex] !== 0) rings.push(walk(vertex, edges, left, columns, box));
  }
  const outer = rings.find((ring) => ringArea(ring) > 0) ?? [];
  return { outer, holes: rings.filter((ring) => ring !== outer) };
}

/** Turning left wherever there is a choice keeps pixels that touch at a corner in one ring. */
function walk(start: number, edges: Uint8Array, left: Uint8Array, columns: number, box: PixelBox): number[] {
  const first = [0, 1, 2, 3].find((direction) => ((left[start] as number) >> direction) & 1) ?? 0;
  const ring: number[] = [];
  let vertex = start;
  let direction = first;
  do {
    left[vertex] = (left[vertex] as number) & ~(1 << direction);
    const [dx, dy] = STEP[direction] as readonly [number, number];
    vertex += dy * columns + dx;
    const out = edges[vertex] as number;
    const next = [3, 0, 1].map((turn) => (direction + turn) % 4).find((turned) => (out >> turned) & 1) ?? direction;
    if (next !== direction) ring.push(box.x0 + (vertex % columns), box.y0 + Math.floor(vertex / columns));
    direction = next;
  } while (vertex !== start || direction !== first);
  return ring;
}

/** Square pixels inside a ring that does not cross itself, by Gauss's formula. */
export const polygonArea = (ring: readonly number[]): number => Math.abs(ringArea(ring)) / 2;

/** Twice the signed area: positive where the region is inside the ring. */
function ringArea(ring: readonly number[]): number {
  let sum = 0;
  for (let at = 0; at < ring.length; at += 2) {
    const next = (at + 2) % ring.length;
    sum += (ring[at] as number) * (ring[next + 1] as number) - (ring[next] as number) * (ring[at + 1] as number);
  }
  return sum;
}

/**
 * A ring with fewer corners, nowhere further than `tolerance` pixels from the given one (Ramer 1972; Douglas and Peucker
 * 1973). A ring that would collapse is given back as it is.
 */
export function simplifyRing(ring: readonly number[], tolerance: number): number[] {
  const points = ring.length / 2;
  if (tolerance <= 0 || points < 4) return [...ring];
  let far = 0;
  for (let point = 1; point < points; point++) {
    if (distance2(ring, point, 0) > distance2(ring, far, 0)) far = point;
  }
  const keep = new Uint8Array(points);
  keep[0] = 1;
  keep[far] = 1;
  const spans: [number, number][] = [
    [0, far],
    [far, points],
  ];
  for (let span = spans.pop(); span !== undefined; span = spans.pop()) {
    const [from, to] = span;
    let worst = -1;
    let offset = tolerance;
    for (let point = from + 1; point < to; point++) {
      const away = distanceToSegment(ring, point, from, to % points);
      if (away > offset) {
        offset = away;
        worst = point;
      }
    }
    if (worst < 0) continue;
    keep[worst] = 1;
    spans.push([from, worst], [worst, to]);
  }
  const simple = ring.filter((_, at) => keep[at >> 1] === 1);
  return simple.length < 6 || Math.abs(ringArea(simple)) < 1 ? [...ring] : simple;
}

function distance2(ring: readonly number[], a: number, b: number): number {
  return (
    ((ring[2 * a] as number) - (ring[2 * b] as number)) ** 2 +
    ((ring[2 * a + 1] as number) - (ring[2 * b + 1] as number)) ** 2
  );
}

function distanceToSegment(ring: readonly number[], point: number, from: number, to: number): number {
  const [px, py] = [ring[2 * point] as number, ring[2 * point + 1] as number];
  const [ax, ay] = [ring[2 * from] as number, ring[2 * from + 1] as number];
  const [bx, by] = [(ring[2 * to] as number) - ax, (ring[2 * to + 1] as number) - ay];
  const length2 = bx * bx + by * by;
  const along = length2 === 0 ? 0 : Math.min(1, Math.max(0, ((px - ax) * bx + (py - ay) * by) / length2));
  return Math.hypot(px - ax - along * bx, py - ay - along * by);
}

/**
 * One ring for a region with holes, for formats that know no holes: each hole is joined to what lies left of it by a cut of no
 * width. The cuts are horizontal at whole heights, where no row of pixel centres runs, so that they change no pixel.
 */
export function bridgeHoles({ outer, holes }: Outline): number[] {
  const leftmost = holes.map((hole) => ({ hole, at: leftmostPoint(hole) }));
  leftmost.sort((a, b) => (a.hole[a.at] as number) - (b.hole[b.at] as number));
  return leftmost.reduce<number[]>((ring, { hole, at }) => join(ring, hole, at), outer);
}

function leftmostPoint(ring: readonly number[]): number {
  let best = 0;
  for (let at = 2; at < ring.length; at += 2) if ((ring[at] as number) < (ring[best] as number)) best = at;
  return best;
}

function join(ring: number[], hole: readonly number[], at: number): number[] {
  const [x, y] = [hole[at] as number, hole[at + 1] as number];
  let nearest = Number.NEGATIVE_INFINITY;
  let after = -1;
  for (let point = 0; point < ring.length; point += 2) {
    const next = (point + 2) % ring.length;
    const [x0, y0] = [ring[point] as number, ring[point + 1] as number];
    const [x1, y1] = [ring[next] as number, ring[next + 1] as number];
    if (Math.min(y0, y1) > y || Math.max(y0, y1) < y) continue;
    const crossings = y0 === y1 ? [x0, x1] : [x0 + ((y - y0) / (y1 - y0)) * (x1 - x0)];
    for (const crossing of crossings) {
      if (crossing <= x && crossing > nearest) {
        nearest = crossing;
        after = y0 === y1 && crossing === x1 ? next : point;
      }
    }
  }
  if (after < 0) return ring;
  const rotated = [...hole.slice(at), ...hole.slice(0, at)];
  return [...ring.slice(0, after + 2), nearest, y, ...rotated, x, y, nearest, y, ...ring.slice(after + 2)];
}
