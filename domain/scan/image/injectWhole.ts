import { traceOutlines } from '../../geometry/contours.js';
import { regionDistance } from '../../geometry/distance.js';
import { fillPolygon } from '../../geometry/polygon.js';
import { simplifyRing } from '../../geometry/ring.js';
import { BACKGROUND, IGNORE_INDEX } from '../../taxonomy.js';
import { WHOLE_INJECTION } from './injectionSizes.js';
import type { LabelView } from './picture.js';

/** The whole label moved by 3 to 14 % of the picture in a random direction; null if nothing of it stays inside. */
export function displaceAll(view: LabelView, random: () => number): Uint8Array | null {
  const { width, height } = view.picture;
  const { leastShift, moreShift } = WHOLE_INJECTION;
  const far = (leastShift + moreShift * random()) * Math.max(width, height);
  const turn = 2 * Math.PI * random();
  const dx = Math.round(far * Math.cos(turn));
  const dy = Math.round(far * Math.sin(turn));
  const moved = resampled(view, (x, y) => [x - dx, y - dy]);
  return moved.some((value) => value !== BACKGROUND && value !== IGNORE_INDEX) ? moved : null;
}

/** Outlines that wander: every pixel takes its value from up to 3 % of the picture away, by a smooth random field. */
export function warpAll(view: LabelView, random: () => number): Uint8Array {
  const { width, height } = view.picture;
  const { wavesPerAxis, waveTurns, leastWander, moreWander } = WHOLE_INJECTION;
  const side = Math.max(width, height);
  const waves = Array.from({ length: 2 * wavesPerAxis }, () => ({
    across: ((random() - 0.5) * 2 * Math.PI * waveTurns) / side,
    down: ((random() - 0.5) * 2 * Math.PI * waveTurns) / side,
    phase: 2 * Math.PI * random(),
  }));
  const far = (leastWander + moreWander * random()) * side;
  const field = (x: number, y: number, from: number): number => {
    let sum = 0;
    for (let index = from; index < from + wavesPerAxis; index++) {
      const wave = waves[index] as (typeof waves)[number];
      sum += Math.sin(wave.across * x + wave.down * y + wave.phase);
    }
    return (far * sum) / Math.sqrt(wavesPerAxis);
  };
  return resampled(view, (x, y) => [Math.round(x + field(x, y, 0)), Math.round(y + field(x, y, wavesPerAxis))]);
}

/**
 * Hasty outlines: every part grows over its surroundings by 0.4 to 2.4 % of the picture. Small parts are mostly on top
 * of large ones, as in tools that stack drawn shapes.
 */
export function growParts(view: LabelView, random: () => number): Uint8Array {
  const { width, height } = view.picture;
  const { values, components } = view.labelled;
  const grown = Uint8Array.from(values);
  const order = components.list
    .map(({ value, area }) => ({
      value,
      at: area * (WHOLE_INJECTION.orderLeast + random()),
      reach: (WHOLE_INJECTION.leastGrown + WHOLE_INJECTION.moreGrown * random()) * Math.max(width, height),
    }))
    .sort((a, b) => b.at - a.at);
  const done = new Set<number>();
  for (const { value, reach } of order) {
    if (done.has(value)) continue;
    done.add(value);
    const outside = values.map((own) => (own === value ? 0 : 1));
    const distance = regionDistance(outside, width, height, true);
    for (let pixel = 0; pixel < grown.length; pixel++) {
      if (outside[pixel] === 1 && (distance[pixel] as number) <= reach && values[pixel] !== IGNORE_INDEX)
        grown[pixel] = value;
    }
  }
  return grown;
}

/**
 * Hasty polygons: every part becomes a polygon of a few corners, a little too wide; small parts are mostly on top of
 * large ones.
 */
export function polygoniseParts(view: LabelView, random: () => number): Uint8Array {
  const { width, height, minArea } = view.picture;
  const { values, components } = view.labelled;
  const { orderLeast, fewestCorners, mostCorners, leastWide, moreWide } = WHOLE_INJECTION;
  const drawn = Uint8Array.from(values);
  const order = components.list
    .filter(({ area }) => area >= minArea)
    .map((component) => ({
      component,
      at: component.area * (orderLeast + random()),
      corners: fewestCorners + Math.floor(random() * (1 + mostCorners - fewestCorners)),
      wide: (leastWide + moreWide * random()) * Math.max(width, height),
    }))
    .sort((a, b) => b.at - a.at);
  const chosen = new Set(order.map(({ component }) => component.id));
  components.ids.forEach((id, pixel) => {
    if (chosen.has(id)) drawn[pixel] = BACKGROUND;
  });
  const outlines = traceOutlines(components.ids, width, height, components.list.length, (id) => chosen.has(id));
  for (const { component, corners, wide } of order) {
    const outer = outlines[component.id]?.outer ?? [];
    fillPolygon(drawn, width, height, widened(fewCorners(outer, corners), wide), component.value);
  }
  values.forEach((value, pixel) => {
    if (value === IGNORE_INDEX) drawn[pixel] = IGNORE_INDEX;
  });
  return drawn;
}

/** The closest ring with at most this many corners. */
function fewCorners(ring: readonly number[], corners: number): number[] {
  const { firstTolerance, lastTolerance, toleranceStep } = WHOLE_INJECTION;
  let simple = [...ring];
  for (let by = firstTolerance; simple.length > 2 * corners && by < lastTolerance; by *= toleranceStep)
    simple = simplifyRing(ring, by);
  return simple;
}

/** Corners moved away from the ring's middle. */
function widened(ring: readonly number[], by: number): number[] {
  const points = ring.length / 2;
  const middle = [0, 1].map(
    (axis) => ring.reduce((sum, at, index) => (index % 2 === axis ? sum + at : sum), 0) / points,
  );
  const [mx, my] = middle as [number, number];
  return Array.from({ length: points }, (_, point) => {
    const [x, y] = [ring[2 * point] as number, ring[2 * point + 1] as number];
    const away = Math.max(1e-6, Math.hypot(x - mx, y - my));
    return [x + (by * (x - mx)) / away, y + (by * (y - my)) / away];
  }).flat();
}

/** The label read at other places; outside the picture it is background. */
function resampled(view: LabelView, from: (x: number, y: number) => readonly [number, number]): Uint8Array {
  const { width, height } = view.picture;
  const values = view.labelled.values;
  return values.map((_, pixel) => {
    const [x, y] = from(pixel % width, Math.floor(pixel / width));
    return x < 0 || y < 0 || x >= width || y >= height ? BACKGROUND : (values[y * width + x] as number);
  });
}
