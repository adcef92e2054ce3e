import type { Outline } from './contours.js';

/**
 * A hole that hangs on a ring: the ring, the place along it (a corner's index plus twice the share of its edge), and
 * the x.
 */
interface Branch {
  hole: number;
  ring: number;
  along: number;
  x: number;
}

/** A ring with the corner that it is written from. */
interface Part {
  ring: readonly number[];
  start: number;
}

/**
 * One ring for a region with holes, for formats that know no holes: each hole is joined to the nearest ring on its left
 * by a cut without width. The cuts are horizontal at whole heights, where no row of pixel centres runs, so they change
 * no pixel. A hole without anything on its left, which a coarse outline may have, is dropped. Holes and edges are
 * sorted once: n log n.
 */
export function bridgeHoles({ outer, holes }: Outline): number[] {
  if (holes.length === 0) return [...outer];
  // From left to right, so that each hole hangs on an earlier ring.
  const sorted = holes
    .map((ring) => ({ ring, start: leftmostPoint(ring) }))
    .sort((a, b) => (a.ring[a.start] as number) - (b.ring[b.start] as number));
  const parts: Part[] = [{ ring: outer, start: 0 }, ...sorted];
  const branches = parts.map((): Branch[] => []);
  for (const branch of findBranches(parts)) branches[branch.ring]?.push(branch);
  parts.forEach(({ ring, start }, number) => {
    const fromStart = ({ along }: Branch): number => (along - start + ring.length) % ring.length;
    branches[number]?.sort((a, b) => fromStart(a) - fromStart(b));
  });
  return joined(parts, branches);
}

function leftmostPoint(ring: readonly number[]): number {
  let best = 0;
  for (let at = 2; at < ring.length; at += 2) if ((ring[at] as number) < (ring[best] as number)) best = at;
  return best;
}

/** For each hole the nearest place on its left, at the height of its leftmost corner, on an earlier ring. */
function findBranches(parts: readonly Part[]): Branch[] {
  const byHeight = new Map<number, number[]>();
  for (let hole = 1; hole < parts.length; hole++) {
    const { ring, start } = parts[hole] as Part;
    const y = ring[start + 1] as number;
    const here = byHeight.get(y);
    if (here === undefined) byHeight.set(y, [hole]);
    else here.push(hole);
  }
  const heights = Float64Array.from(byHeight.keys()).sort();
  const { begin, x, along, ring } = crossingsAt(heights, parts);
  const found: Branch[] = [];
  for (let level = 0; level < heights.length; level++) {
    const from = begin[level] as number;
    const order = Uint32Array.from({ length: (begin[level + 1] as number) - from }, (_, index) => from + index);
    order.sort((a, b) => (x[a] as number) - (x[b] as number));
    const sorted = Float64Array.from(order, (crossing) => x[crossing] as number);
    for (const hole of byHeight.get(heights[level] as number) ?? []) {
      const part = parts[hole] as Part;
      let at = upperBound(sorted, part.ring[part.start] as number) - 1;
      while (at >= 0 && (ring[order[at] as number] as number) >= hole) at--;
      const crossing = order[at];
      if (crossing === undefined) continue;
      const place = { ring: ring[crossing] as number, along: along[crossing] as number, x: x[crossing] as number };
      found.push({ hole, ...place });
    }
  }
  return found;
}

/**
 * Crossings of edges with heights (ascending): those of one height begin at its `begin` and end before the next one's.
 */
function crossingsAt(heights: Float64Array, parts: readonly Part[]) {
  const walk = (visit: (level: number, number: number, at: number, share: number, x: number) => void): void => {
    parts.forEach(({ ring }, number) => {
      for (let at = 0; at < ring.length; at += 2) {
        const next = at + 2 === ring.length ? 0 : at + 2;
        const y0 = ring[at + 1] as number;
        const y1 = ring[next + 1] as number;
        const last = Math.max(y0, y1);
        for (let level = lowerBound(heights, Math.min(y0, y1)); level < heights.length; level++) {
          const y = heights[level] as number;
          if (y > last) break;
          // The end of a flat edge is the beginning of the next one.
          const share = y0 === y1 ? 0 : (y - y0) / (y1 - y0);
          const x0 = ring[at] as number;
          visit(level, number, at, share, x0 + share * ((ring[next] as number) - x0));
        }
      }
    });
  };
  const begin = new Int32Array(heights.length + 1);
  walk((level) => {
    begin[level + 1] = (begin[level + 1] as number) + 1;
  });
  for (let level = 0; level < heights.length; level++)
    begin[level + 1] = (begin[level + 1] as number) + (begin[level] as number);
  const total = begin[heights.length] as number;
  const x = new Float64Array(total);
  const along = new Float64Array(total);
  const ring = new Int32Array(total);
  const next = begin.slice();
  walk((level, number, at, share, crossing) => {
    const slot = next[level] as number;
    next[level] = slot + 1;
    x[slot] = crossing;
    along[slot] = (at + 2 * share) % (parts[number] as Part).ring.length;
    ring[slot] = number;
  });
  return { begin, x, along, ring };
}

/** The first index of an ascending list whose value is not smaller. */
function lowerBound(sorted: Float64Array, value: number): number {
  let low = 0;
  for (let high = sorted.length; low < high; ) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first index of an ascending list whose value is larger. */
function upperBound(sorted: Float64Array, value: number): number {
  let low = 0;
  for (let high = sorted.length; low < high; ) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The outer ring with each branch at its place. No recursion: chains of holes are longer than calls may be nested. */
function joined(parts: readonly Part[], branches: readonly (readonly Branch[])[]): number[] {
  const out: number[] = [];
  const open: { part: number; written: number; branch: number; from: number }[] = [
    { part: 0, written: 0, branch: 0, from: 0 },
  ];
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const { ring, start } = parts[top.part] as Part;
    const own = branches[top.part] as readonly Branch[];
    const next = own[top.branch];
    if (next !== undefined && (next.along - start + ring.length) % ring.length < top.written) {
      const { ring: hole, start: corner } = parts[next.hole] as Part;
      out.push(next.x, hole[corner + 1] as number);
      top.branch += 1;
      open.push({ part: next.hole, written: 0, branch: 0, from: next.x });
    } else if (top.written < ring.length) {
      const at = (start + top.written) % ring.length;
      out.push(ring[at] as number, ring[at + 1] as number);
      top.written += 2;
    } else {
      open.pop();
      if (open.length === 0) break;
      const y = ring[start + 1] as number;
      out.push(ring[start] as number, y, top.from, y);
    }
  }
  return out;
}
