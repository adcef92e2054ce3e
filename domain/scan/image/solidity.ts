import type { Component, Components } from '../../geometry/components.js';
import { hull, type Point } from '../../geometry/hull.js';
import { polygonArea } from '../../geometry/ring.js';

/** For each value the share of its largest component's convex hull that the component fills; 1 if there is none. */
export function solidities({ ids, list }: Components, width: number): Float64Array {
  const largest = new Map<number, Component>();
  for (const component of list) {
    const known = largest.get(component.value);
    if (known === undefined || component.area > known.area) largest.set(component.value, component);
  }
  const shares = new Float64Array(256).fill(1);
  for (const [value, { id, area, x0, y0, x1, y1 }] of largest) {
    const ends: Point[] = [];
    for (let y = y0; y < y1; y++) {
      const row = ids.subarray(y * width + x0, y * width + x1);
      const from = row.indexOf(id);
      if (from < 0) continue;
      const to = row.lastIndexOf(id) + 1;
      ends.push([from, y], [to, y], [from, y + 1], [to, y + 1]);
    }
    shares[value] = area / Math.max(area, polygonArea(hull(ends).flat()));
  }
  return shares;
}
