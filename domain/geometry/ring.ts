/**
 * Distances that simplifying may measure per point of the ring: 64 halvings of all its points; no part's outline needs
 * as many.
 */
const MEASURED_PER_POINT = 64;

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
 * A ring with fewer corners, nowhere further than `tolerance` pixels from the given one (Ramer 1972; Douglas and
 * Peucker 1973). A ring that would collapse is returned unchanged. The method takes quadratic time on some rings: parts
 * that are not simplified after `MEASURED_PER_POINT` measurements per point keep their corners.
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
  let measured = 0;
  for (let span = spans.pop(); span !== undefined; span = spans.pop()) {
    const [from, to] = span;
    measured += to - from;
    if (measured > MEASURED_PER_POINT * points) {
      keep.fill(1, from, to);
      continue;
    }
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
  const px = ring[2 * point] as number;
  const py = ring[2 * point + 1] as number;
  const ax = ring[2 * from] as number;
  const ay = ring[2 * from + 1] as number;
  const bx = (ring[2 * to] as number) - ax;
  const by = (ring[2 * to + 1] as number) - ay;
  const length2 = bx * bx + by * by;
  const along = length2 === 0 ? 0 : Math.min(1, Math.max(0, ((px - ax) * bx + (py - ay) * by) / length2));
  return Math.hypot(px - ax - along * bx, py - ay - along * by);
}
