/** Left, top, right and bottom in any unit; right and bottom are exclusive. */
type Box = readonly [x0: number, y0: number, x1: number, y1: number];

/** Intersection over union of two boxes, 0..1; 0 if they do not overlap or both are empty. */
export function boxIou(a: Box, b: Box): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (width <= 0 || height <= 0) return 0;
  const both = width * height;
  const union = areaOf(a) + areaOf(b) - both;
  return union <= 0 ? 0 : both / union;
}

const areaOf = ([x0, y0, x1, y1]: Box): number => (x1 - x0) * (y1 - y0);
