import { BACKGROUND, IGNORE_INDEX } from '../../taxonomy.js';
import type { LabelView } from './picture.js';
import { solidities } from './solidity.js';
import { OUTLINE } from './thresholds.js';

export interface OutlineFit {
  /** Share of the band along labelled and predicted outlines on which label and prediction disagree, 0..1. */
  band: number;
  /** The same over the rest of the car: low where only the outlines are bad. */
  core: number;
  /**
   * Mean probability of the prediction where it disagrees within the band: a lost model disagrees without certainty.
   */
  bandConfidence: number;
  /** 10 × the median over parts of log(labelled / seen pixels), clipped to ±3: hasty outlines are mostly too wide. */
  areaBias: number;
  /** Share of the band that is labelled as a part where the model sees none, minus the reverse, -1..1. */
  boundaryBias: number;
  /**
   * Mean over parts of the difference in filled shares of the convex hull, labelled minus predicted, -1..1: hasty
   * outlines cut corners.
   */
  fullness: number;
}

/**
 * How well all outlines of a label follow the prediction; null if either shows too little of a car. Pixels of parts
 * that are missing as a whole (`leftOut` is 1) do not count.
 */
export function outlineFit(view: LabelView, leftOut: Uint8Array): OutlineFit | null {
  const { predicted, pMask, edge, minArea, width, height } = view.picture;
  const { values, distance, areas } = view.labelled;
  const pixels = width * height;
  const seen = pixels - (predicted.areas[BACKGROUND] as number);
  const given = pixels - (areas[BACKGROUND] as number) - (areas[IGNORE_INDEX] as number);
  if (Math.min(seen, given) < OUTLINE.leastAreas * minArea) return null;
  const reach = OUTLINE.bandEdges * edge;
  const counts = { band: 0, bandOff: 0, core: 0, coreOff: 0, bandConfidence: 0, boundaryBias: 0 };
  for (let pixel = 0; pixel < pixels; pixel++) {
    const label = values[pixel] as number;
    const mask = predicted.values[pixel] as number;
    if (label === IGNORE_INDEX || (label === BACKGROUND && mask === BACKGROUND) || leftOut[pixel] === 1) continue;
    const off = label === mask ? 0 : 1;
    if (Math.min(distance[pixel] as number, predicted.distance[pixel] as number) < reach) {
      counts.band++;
      counts.bandOff += off;
      counts.bandConfidence += (off * (pMask[pixel] as number)) / 255;
      if (mask === BACKGROUND) counts.boundaryBias++;
      else if (label === BACKGROUND) counts.boundaryBias--;
    } else {
      counts.core++;
      counts.coreOff += off;
    }
  }
  return {
    band: counts.band === 0 ? 0 : counts.bandOff / counts.band,
    core: counts.core === 0 ? 0 : counts.coreOff / counts.core,
    bandConfidence: counts.bandOff === 0 ? 0 : counts.bandConfidence / counts.bandOff,
    ...partsFit(view),
    boundaryBias: counts.band === 0 ? 0 : counts.boundaryBias / counts.band,
  };
}

/** For parts labelled and predicted in the same place: how much wider and fuller the labelled ones are. */
function partsFit(view: LabelView): Pick<OutlineFit, 'areaBias' | 'fullness'> {
  const { predicted, solidity, minArea, taxonomy } = view.picture;
  const both = new Int32Array(256);
  const given = view.labelled.values;
  for (let pixel = 0; pixel < given.length; pixel++) {
    const value = given[pixel] as number;
    if (value === predicted.values[pixel]) both[value] = (both[value] as number) + 1;
  }
  const same = taxonomy.classes.flatMap((_, index) => {
    const value = index + 1;
    const smaller = Math.min(view.labelled.areas[value] as number, predicted.areas[value] as number);
    return smaller < minArea || (both[value] as number) < OUTLINE.samePlace * smaller ? [] : [value];
  });
  if (same.length === 0) return { areaBias: 0, fullness: 0 };
  const ratios = same.map((value) =>
    Math.log((view.labelled.areas[value] as number) / (predicted.areas[value] as number)),
  );
  const middle = ratios.sort((a, b) => a - b)[ratios.length >> 1] ?? 0;
  const labelled = solidities(view.labelled.components, view.picture.width);
  return {
    areaBias: Math.max(-OUTLINE.areaBiasBound, Math.min(OUTLINE.areaBiasBound, OUTLINE.areaBiasScale * middle)),
    fullness:
      same.reduce((sum, value) => sum + (labelled[value] as number) - (solidity[value] as number), 0) / same.length,
  };
}
