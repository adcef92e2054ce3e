import type { PixelBox } from '../../geometry/rle.js';
import { BACKGROUND, IGNORE_INDEX } from '../../taxonomy.js';
import type { LabelView } from './picture.js';
import { ADJACENCY } from './thresholds.js';

/** The labelled parts around a region. */
export interface Adjacency {
  /** Number of pixel sides around the region, without the picture's edge. */
  rim: number;
  /** Number of them at which a part begins directly. */
  adjoining: number;
  /** Number of them at which a part begins directly or behind the gap, by label value. */
  touched: ReadonlyMap<number, number>;
}

/**
 * The parts of a label that touch the region of the pixels `inside`, which lies in `box`. Labels often have a line
 * between parts, so a gap of this many pixels still counts; an edge width if omitted.
 */
export function adjacencyOf(
  view: LabelView,
  box: PixelBox,
  inside: (pixel: number) => boolean,
  gap = Math.round(view.picture.edge),
): Adjacency {
  const { width, height } = view.picture;
  const { values } = view.labelled;
  const touched = new Map<number, number>();
  let [rim, adjoining] = [0, 0];
  const look = (x: number, y: number, dx: number, dy: number): void => {
    for (let step = 1; step <= gap + 1; step++) {
      const [atX, atY] = [x + step * dx, y + step * dy];
      if (atX < 0 || atY < 0 || atX >= width || atY >= height) return;
      const pixel = atY * width + atX;
      if (inside(pixel)) return;
      if (step === 1) rim++;
      const value = values[pixel] as number;
      if (value === IGNORE_INDEX) return;
      if (value === BACKGROUND) continue;
      if (step === 1) adjoining++;
      touched.set(value, (touched.get(value) ?? 0) + 1);
      return;
    }
  };
  for (let y = box.y0; y < box.y1; y++) {
    for (let x = box.x0; x < box.x1; x++) {
      if (!inside(y * width + x)) continue;
      look(x, y, -1, 0);
      look(x, y, 1, 0);
      look(x, y, 0, -1);
      look(x, y, 0, 1);
    }
  }
  return { rim, adjoining, touched };
}

/** Share of the pixel sides around a region at which a part begins directly. */
export const enclosureOf = ({ rim, adjoining }: Adjacency): number => (rim === 0 ? 0 : adjoining / rim);

/**
 * Share of a region's contact that is with declared neighbours of a class or with the class itself; null if nothing
 * touches the region, and for a class that declares no neighbours.
 */
export function belongs({ touched }: Adjacency, value: number, adjacent: readonly Uint8Array[]): number | null {
  const beside = adjacent[value];
  if (beside === undefined || !beside.includes(1)) return null;
  let all = 0;
  let known = 0;
  for (const [other, sides] of touched) {
    all += sides;
    if (other === value || beside[other] === 1) known += sides;
  }
  return all === 0 ? null : known / all;
}

/**
 * Which of two classes the contact of a region speaks for, -1 (the first) to 1 (the second): it compares the parts that
 * are neighbours of only one of them.
 */
export function fitsRather(
  { touched }: Adjacency,
  first: number,
  second: number,
  adjacent: readonly Uint8Array[],
): number {
  let [all, one, two] = [0, 0, 0];
  for (const [other, sides] of touched) {
    const beside = [first, second].map((value) => other === value || adjacent[value]?.[other] === 1);
    all += sides;
    if (beside[0] && !beside[1]) one += sides;
    if (beside[1] && !beside[0]) two += sides;
  }
  return all === 0 ? 0 : (two - one) / Math.max(one + two, ADJACENCY.telling * all);
}
