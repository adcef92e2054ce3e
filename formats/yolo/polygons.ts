import { bridgeHoles, polygonArea, simplifyRing, traceOutline } from '../../domain/geometry/contours.js';
import { fillPolygon } from '../../domain/geometry/polygon.js';
import type { ManifestImage } from '../manifest.js';
import { labelRegions } from '../regions.js';

/** A part's outline: x, y pairs as fractions of the picture; holes are joined to the outline by cuts of no width. */
export interface YoloPolygon {
  value: number;
  points: number[];
}

/** Digits behind the point, as YOLO's own tools write them. */
const DIGITS = 6;

/** The polygons of a label, each connected piece by itself, large ones first. */
export function toPolygons(image: ManifestImage, raster: Uint8Array, simplifyPx: number): YoloPolygon[] {
  const { width, height } = image;
  const scale = (ring: readonly number[]): number[] =>
    ring.map((edge, at) => Number((edge / (at % 2 === 0 ? width : height)).toFixed(DIGITS)));
  const simple = (ring: readonly number[]): number[] => simplifyRing(ring, simplifyPx);
  return labelRegions(image, raster)
    .map(({ component, inside }) => {
      const { outer, holes } = traceOutline(inside, component);
      return { value: component.value, points: scale(bridgeHoles({ outer: simple(outer), holes: holes.map(simple) })) };
    })
    .sort((a, b) => polygonArea(b.points) - polygonArea(a.points));
}

/** The pixels of polygons, row by row; the later one is on top. */
export function paintPolygons(polygons: readonly YoloPolygon[], width: number, height: number): Uint8Array {
  const raster = new Uint8Array(width * height);
  for (const { value, points } of polygons) {
    const ring = points.map((share, at) => share * (at % 2 === 0 ? width : height));
    fillPolygon(raster, width, height, ring, value);
  }
  return raster;
}
