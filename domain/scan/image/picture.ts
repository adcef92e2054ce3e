import { type Component, type Components, connectedComponents, skipValues } from '../../geometry/components.js';
import { inradii, regionDistance } from '../../geometry/distance.js';
import { cropTopLeft } from '../../geometry/resize.js';
import type { PixelBox } from '../../geometry/rle.js';
import { adjacencyTable, BACKGROUND, IGNORE_INDEX, mirrorTable, type Taxonomy } from '../../taxonomy.js';
import type { AnalysisInput, AnalysisOptions, Candidate } from '../types.js';
import { solidities } from './solidity.js';
import { PICTURE } from './thresholds.js';

const NOTHING = skipValues(BACKGROUND, IGNORE_INDEX);

/**
 * A raster cut into parts: components of the parts, distance to their edges, largest radius of each, pixels per value.
 */
export interface Parts {
  values: Uint8Array;
  components: Components;
  distance: Float32Array;
  radii: Float32Array;
  /** Pixels per value, length 256. */
  areas: Int32Array;
}

/** The prediction of one picture, measured once and compared with any number of labels. */
export interface Picture {
  width: number;
  height: number;
  predicted: Parts;
  /** Of the prediction, by value (`solidities`). */
  solidity: Float64Array;
  pMask: Uint8Array;
  pLabel: Uint8Array;
  /** Regions with fewer pixels are ignored. */
  minArea: number;
  /** Distance from an edge in pixels below which disagreement tells nothing. */
  edge: number;
  taxonomy: Taxonomy;
  mirror: Uint8Array;
  /** By label value, the values that touch it on a car (`adjacencyTable`). */
  adjacent: readonly Uint8Array[];
  /** Mean probability of the prediction over the predicted car, 0..1: low if the model is lost. */
  clarity: number;
}

/** One label compared with a picture. */
export interface LabelView {
  picture: Picture;
  labelled: Parts;
  /** Pixels that are the same part in both. */
  agreeing: number;
  /** Pixels that are a part in either; ignored pixels left out. */
  car: number;
}

/** A candidate with its pixels, before it is recorded. */
export interface RegionCandidate {
  candidate: Omit<Candidate, 'proposal'>;
  /** Whether a pixel (index row by row) belongs to the region that the correction would change. */
  inside: (pixel: number) => boolean;
  bounds: PixelBox;
}

export function cutIntoParts(values: Uint8Array, width: number, height: number): Parts {
  const components = connectedComponents(values, width, height, NOTHING);
  const distance = regionDistance(values, width, height);
  const areas = new Int32Array(256);
  for (let pixel = 0; pixel < values.length; pixel++) {
    const value = values[pixel] as number;
    areas[value] = (areas[value] as number) + 1;
  }
  return { values, components, distance, radii: inradii(components.ids, distance, components.list.length), areas };
}

export function preparePicture(input: AnalysisInput, taxonomy: Taxonomy, options: AnalysisOptions): Picture {
  const { size, validWidth: width, validHeight: height } = input;
  const predicted = cutIntoParts(cropTopLeft(input.mask, size, width, height), width, height);
  const pMask = cropTopLeft(input.pMask, size, width, height);
  return {
    width,
    height,
    predicted,
    solidity: solidities(predicted.components, width),
    pMask,
    clarity: clarityOf(predicted.values, pMask),
    pLabel: cropTopLeft(input.pLabel, size, width, height),
    minArea: Math.max(
      PICTURE.minAreaPixels,
      Math.round((options.minAreaShare ?? PICTURE.minAreaShare) * width * height),
    ),
    edge: Math.max(PICTURE.edgePixels, PICTURE.edgeShare * Math.max(width, height)),
    taxonomy,
    mirror: mirrorTable(taxonomy),
    adjacent: adjacencyTable(taxonomy),
  };
}

/** A label as a model sees it that agrees with all of it. */
export function viewAlone(label: Uint8Array, width: number, height: number, taxonomy: Taxonomy): LabelView {
  const size = Math.max(width, height);
  const padded = new Uint8Array(size * size);
  for (let y = 0; y < height; y++) padded.set(label.subarray(y * width, (y + 1) * width), y * size);
  const sure = new Uint8Array(size * size).fill(255);
  const mask = padded.map((value) => (value === IGNORE_INDEX ? BACKGROUND : value));
  const input = { size, validWidth: width, validHeight: height, label: padded, mask, pMask: sure, pLabel: sure };
  return viewLabel(preparePicture(input, taxonomy, {}), label);
}

function clarityOf(values: Uint8Array, pMask: Uint8Array): number {
  let sum = 0;
  let car = 0;
  for (let pixel = 0; pixel < values.length; pixel++) {
    if (values[pixel] === BACKGROUND) continue;
    car++;
    sum += (pMask[pixel] as number) / 255;
  }
  return car === 0 ? 0 : sum / car;
}

export function viewLabel(picture: Picture, label: Uint8Array): LabelView {
  const labelled = cutIntoParts(label, picture.width, picture.height);
  const mask = picture.predicted.values;
  let agreeing = 0;
  let car = 0;
  for (let pixel = 0; pixel < label.length; pixel++) {
    const given = label[pixel] as number;
    const seen = mask[pixel] as number;
    if (given === IGNORE_INDEX || (given === BACKGROUND && seen === BACKGROUND)) continue;
    car++;
    if (given === seen) agreeing++;
  }
  return { picture, labelled, agreeing, car };
}

/** log((labelled + m) / (predicted + m)) of a class, clipped to ±3. */
export function balanceOf(view: LabelView, value: number): number {
  const { minArea, predicted } = view.picture;
  const labelled = view.labelled.areas[value] as number;
  const balance = Math.log((labelled + minArea) / ((predicted.areas[value] as number) + minArea));
  return Math.max(-PICTURE.balanceBound, Math.min(PICTURE.balanceBound, balance));
}

/** Share of a labelled component that the model sees as the same part. */
export function seenAs(view: LabelView, component: Component): number {
  let same = 0;
  const { width, predicted } = view.picture;
  for (let y = component.y0; y < component.y1; y++) {
    for (let x = component.x0; x < component.x1; x++) {
      const pixel = y * width + x;
      if (view.labelled.components.ids[pixel] === component.id && predicted.values[pixel] === component.value) same++;
    }
  }
  return same / component.area;
}
