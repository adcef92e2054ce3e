import { bridgeHoles } from '../../domain/geometry/bridgeHoles.js';
import { traceOutlines } from '../../domain/geometry/contours.js';
import { polygonArea, simplifyRing } from '../../domain/geometry/ring.js';
import type { ManifestImage } from '../manifest.js';
import { type Canvas, paintShapes, polygonShape, type Shape } from '../paint.js';
import { labelRegions } from '../regions.js';

/** A part's outline: x, y pairs as fractions of the picture; holes are joined to the outline by cuts without width. */
export interface YoloPolygon {
  value: number;
  points: number[];
}

/** Number of decimals, as in YOLO's own tools. */
const DIGITS = 6;

/** The polygons of a label, one per connected piece, large ones first. */
export function toPolygons(image: ManifestImage, raster: Uint8Array, simplifyPx: number): YoloPolygon[] {
  const { width, height } = image;
  const [across, down] = [shares(width), shares(height)];
  const scale = (ring: readonly number[]): number[] => ring.map((edge, at) => (at % 2 === 0 ? across : down)(edge));
  const simple = (ring: readonly number[]): number[] => simplifyRing(ring, simplifyPx);
  const { list, ids } = labelRegions(image, raster);
  const outlines = traceOutlines(ids, width, height, list.length);
  return outlines
    .map(({ outer, holes }, id) => {
      const points = scale(bridgeHoles({ outer: simple(outer), holes: holes.map(simple) }));
      return { value: list[id]?.value ?? 0, points, area: polygonArea(points) };
    })
    .sort((a, b) => b.area - a.area)
    .map(({ value, points }) => ({ value, points }));
}

/** Positions as shares of a side. Most are whole numbers, and writing decimals takes time: these are kept. */
function shares(side: number): (edge: number) => number {
  const round = (edge: number): number => Number((edge / side).toFixed(DIGITS));
  const whole = Float64Array.from({ length: side + 1 }, (_, edge) => round(edge));
  return (edge) => whole[edge] ?? round(edge);
}

/** The pixels of a picture that a polygon covers. */
export function yoloShape({ value, points }: YoloPolygon, canvas: Canvas): Shape {
  const ring = points.map((share, at) => share * (at % 2 === 0 ? canvas.width : canvas.height));
  return polygonShape([ring], value, canvas);
}

/** The pixels of polygons, row by row. */
export function paintPolygons(polygons: readonly YoloPolygon[], canvas: Canvas): Uint8Array {
  return paintShapes(
    polygons.map((polygon) => yoloShape(polygon, canvas)),
    canvas,
  );
}
