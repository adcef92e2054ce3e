import { resizeNearest } from '../../geometry/resize.js';
import type { PixelBox } from '../../geometry/rle.js';
import type { FindingKind } from '../../tables.js';
import { BACKGROUND, IGNORE_INDEX } from '../../taxonomy.js';
import { type OutlineFit, outlineFit } from './outline.js';
import type { LabelView, RegionCandidate } from './picture.js';
import { WHOLE_LABEL } from './thresholds.js';

/**
 * Errors of a label as a whole: mirrored (left and right swapped everywhere, or drawn for the mirrored picture),
 * displaced, coarsely outlined everywhere, or (nearly) empty although there is a car. Readings are compared with the
 * prediction on a grid of at most 48 × 48, outlines at full size. Every reading is a candidate, however badly it fits:
 * only a comparison with all other images shows which fit is good enough. `leftOut` is 1 at pixels of a missing whole
 * part, which no outline explains.
 */
export function findWholeLabel(view: LabelView, leftOut: Uint8Array): RegionCandidate[] {
  const { predicted, width, height, minArea } = view.picture;
  const scale = Math.min(1, WHOLE_LABEL.grid / Math.max(width, height));
  const w = Math.max(1, Math.round(width * scale));
  const h = Math.max(1, Math.round(height * scale));
  const mask = resizeNearest(predicted.values, width, height, w, h);
  const label = resizeNearest(view.labelled.values, width, height, w, h);
  const seenArea = width * height - (predicted.areas[BACKGROUND] as number);
  const givenArea =
    width * height - (view.labelled.areas[BACKGROUND] as number) - (view.labelled.areas[IGNORE_INDEX] as number);
  const found: RegionCandidate[] = [];
  const extent = extentOf(view);
  if (
    givenArea < WHOLE_LABEL.emptyBelow * seenArea &&
    seenArea >= Math.max(minArea, WHOLE_LABEL.carFrom * width * height)
  ) {
    found.push(whole(view, extent, 'empty_label', 1 - givenArea / seenArea, 1 - givenArea / seenArea));
    return found;
  }
  if (givenArea < minArea) return found;
  const table = view.picture.mirror;
  const renamed = label.map((value) => table[value] as number);
  const base = agreement(label, mask, w, h, 0, 0, false);
  const mirrored = Math.max(
    agreement(renamed, mask, w, h, 0, 0, false),
    agreement(label, mask, w, h, 0, 0, true),
    agreement(renamed, mask, w, h, 0, 0, true),
  );
  found.push(whole(view, extent, 'mirrored', mirrored - base, 1 - base));
  const displaced = bestDisplaced(label, mask, w, h, base);
  const best = Math.max(base, mirrored);
  found.push(whole(view, extent, 'shifted', displaced - best, 1 - displaced));
  const outline = outlineFit(view, leftOut);
  if (outline !== null) {
    const unexplained = Math.max(0, outline.band - Math.max(0, displaced - base, mirrored - base));
    found.push(whole(view, extent, 'bad_outline', unexplained, outline.core, outline));
  }
  return found;
}

/**
 * The best agreement of the label displaced by up to a tenth of the picture, in coarse steps and then around the best
 * of them: agreement falls off evenly around its peak.
 */
function bestDisplaced(label: Uint8Array, mask: Uint8Array, width: number, height: number, base: number): number {
  let best = { dx: 0, dy: 0, value: base };
  const look = (dx: number, dy: number): void => {
    if (dx === 0 && dy === 0) return;
    const value = agreement(label, mask, width, height, dx, dy, false);
    if (value > best.value) best = { dx, dy, value };
  };
  const { coarseStep: step, coarseReach: reach } = WHOLE_LABEL;
  for (let down = -reach; down <= reach; down++)
    for (let across = -reach; across <= reach; across++) look(across * step, down * step);
  const { dx, dy } = best;
  for (let down = 1 - step; down < step; down++)
    for (let across = 1 - step; across < step; across++) if (down !== 0 || across !== 0) look(dx + across, dy + down);
  return best.value;
}

/** Share of the car (a part in either) where the displaced or flipped label agrees with the mask. */
function agreement(
  label: Uint8Array,
  mask: Uint8Array,
  width: number,
  height: number,
  dx: number,
  dy: number,
  flip: boolean,
): number {
  let same = 0;
  let car = 0;
  for (let y = 0; y < height; y++) {
    const fromY = y - dy;
    for (let x = 0; x < width; x++) {
      const fromX = flip ? width - 1 - x : x - dx;
      const outside = fromX < 0 || fromY < 0 || fromX >= width || fromY >= height;
      const given = outside ? BACKGROUND : (label[fromY * width + fromX] as number);
      const seen = mask[y * width + x] as number;
      if (given === IGNORE_INDEX || (given === BACKGROUND && seen === BACKGROUND)) continue;
      car++;
      if (given === seen) same++;
    }
  }
  return car === 0 ? 0 : same / car;
}

/** The pixels that are a part in label or prediction, and the box around them. */
interface Extent {
  area: number;
  bounds: PixelBox;
}

function extentOf(view: LabelView): Extent {
  const { width, height, predicted } = view.picture;
  const values = view.labelled.values;
  const bounds = { x0: width, y0: height, x1: 0, y1: 0 };
  let area = 0;
  for (let y = 0; y < height; y++) {
    let [first, last] = [width, -1];
    for (let x = 0; x < width; x++) {
      const given = values[y * width + x] as number;
      if ((given === BACKGROUND || given === IGNORE_INDEX) && predicted.values[y * width + x] === BACKGROUND) continue;
      area++;
      if (first === width) first = x;
      last = x;
    }
    if (last < 0) continue;
    bounds.x0 = Math.min(bounds.x0, first);
    bounds.x1 = Math.max(bounds.x1, last + 1);
    bounds.y0 = Math.min(bounds.y0, y);
    bounds.y1 = y + 1;
  }
  return { area, bounds };
}

function whole(
  view: LabelView,
  { area, bounds }: Extent,
  kind: FindingKind,
  gain: number,
  disagreement: number,
  outline: Omit<OutlineFit, 'band' | 'core'> | null = null,
): RegionCandidate {
  const { predicted, clarity } = view.picture;
  const values = view.labelled.values;
  return {
    inside: (pixel) => values[pixel] !== predicted.values[pixel],
    bounds,
    candidate: {
      kind,
      classId: BACKGROUND,
      suggestedClassId: null,
      area,
      box: [bounds.x0, bounds.y0, bounds.x1, bounds.y1],
      features: {
        confidence: outline?.bandConfidence ?? clarity,
        disagreement,
        coverage: 1,
        compactness: 0,
        enclosure: 0,
        absent: 0,
        balance: outline?.areaBias ?? 0,
        context: clarity,
        gain,
        ...(outline === null ? {} : { spill: outline.boundaryBias, fullness: outline.fullness }),
      },
      counts: [],
      rule: false,
    },
  };
}
