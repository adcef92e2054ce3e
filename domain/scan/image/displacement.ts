import type { Component } from '../../geometry/components.js';
import type { LabelView } from './picture.js';
import { DISPLACEMENT } from './thresholds.js';

/**
 * The displacement (up to 40 % of the component's box, 9 × 9 steps) at which a labelled component fits the predicted
 * pixels of its class best. IoU here is over the displaced component and the predicted class within reach of it, on at
 * most about 32 × 32 samples of the box.
 */
export function bestDisplacement(
  view: LabelView,
  component: Component,
): { iou: number; iouInPlace: number; dx: number; dy: number } {
  const { width, height, predicted } = view.picture;
  const ids = view.labelled.components.ids;
  const { x0, y0, x1, y1, value, id } = component;
  const step = Math.max(1, Math.floor(Math.max(x1 - x0, y1 - y0) / DISPLACEMENT.samples));
  const reachX = Math.max(1, Math.round(DISPLACEMENT.reach * (x1 - x0)));
  const reachY = Math.max(1, Math.round(DISPLACEMENT.reach * (y1 - y0)));
  const xs: number[] = [];
  const ys: number[] = [];
  for (let y = y0; y < y1; y += step) {
    for (let x = x0; x < x1; x += step) {
      if (ids[y * width + x] !== id) continue;
      xs.push(x);
      ys.push(y);
    }
  }
  let seen = 0;
  for (let y = Math.max(0, y0 - reachY); y < Math.min(height, y1 + reachY); y += step) {
    for (let x = Math.max(0, x0 - reachX); x < Math.min(width, x1 + reachX); x += step) {
      if (predicted.values[y * width + x] === value) seen++;
    }
  }
  const iouAt = (dx: number, dy: number): number => {
    let hit = 0;
    for (let index = 0; index < xs.length; index++) {
      const x = (xs[index] as number) + dx;
      const y = (ys[index] as number) + dy;
      if (x >= 0 && y >= 0 && x < width && y < height && predicted.values[y * width + x] === value) hit++;
    }
    return hit / Math.max(1, xs.length + seen - hit);
  };
  const { steps } = DISPLACEMENT;
  const iouInPlace = iouAt(0, 0);
  const best = { iou: iouInPlace, iouInPlace, dx: 0, dy: 0 };
  for (let row = -steps; row <= steps; row++) {
    for (let column = -steps; column <= steps; column++) {
      const dx = Math.round((reachX * column) / steps);
      const dy = Math.round((reachY * row) / steps);
      const iou = iouAt(dx, dy);
      if (iou > best.iou) Object.assign(best, { iou, dx, dy });
    }
  }
  return best;
}
