import { BACKGROUND, IGNORE_INDEX } from '../taxonomy.js';
import type { LabelView } from './picture.js';

/** How wide the band along outlines is in which outlines are compared, in edge widths. */
const BAND_EDGES = 2;

export interface OutlineFit {
  /** Share of the band along labelled and predicted outlines on which label and prediction disagree, 0..1. */
  band: number;
  /** The same over the rest of the car: low where only the outlines are bad. */
  core: number;
  /** 20 × log of labelled over predicted car in pixels, clipped to ±3: hasty outlines are mostly too wide. */
  width: number;
}

/** How well the outlines of a label as a whole follow what the model sees; null where either shows too little of a car. */
export function outlineFit(view: LabelView): OutlineFit | null {
  const { predicted, edge, minArea, width, height } = view.picture;
  const { values, distance, areas } = view.labelled;
  const pixels = width * height;
  const seen = pixels - (predicted.areas[BACKGROUND] as number);
  const given = pixels - (areas[BACKGROUND] as number) - (areas[IGNORE_INDEX] as number);
  if (seen < 4 * minArea || given < 4 * minArea) return null;
  const reach = BAND_EDGES * edge;
  const counts = { band: 0, bandOff: 0, core: 0, coreOff: 0 };
  for (let pixel = 0; pixel < pixels; pixel++) {
    const label = values[pixel] as number;
    const mask = predicted.values[pixel] as number;
    if (label === IGNORE_INDEX || (label === BACKGROUND && mask === BACKGROUND)) continue;
    const off = label === mask ? 0 : 1;
    if (Math.min(distance[pixel] as number, predicted.distance[pixel] as number) < reach) {
      counts.band++;
      counts.bandOff += off;
    } else {
      counts.core++;
      counts.coreOff += off;
    }
  }
  return {
    band: counts.band === 0 ? 0 : counts.bandOff / counts.band,
    core: counts.core === 0 ? 0 : counts.coreOff / counts.core,
    width: Math.max(-3, Math.min(3, 20 * Math.log(given / seen))),
  };
}
