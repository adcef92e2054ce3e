/**
 * Paint a polygon into a raster: a pixel belongs to it when its centre does, by the even-odd rule. `ring` holds x, y
 * pairs in pixels of the raster; the ring closes itself.
 */
export function fillPolygon(
  raster: Uint8Array,
  width: number,
  height: number,
  ring: readonly number[],
  value: number,
): void {
  const points = ring.length >> 1;
  const ys = ring.filter((_, index) => index % 2 === 1);
  const first = Math.max(0, Math.ceil(Math.min(...ys) - 0.5));
  const last = Math.min(height - 1, Math.floor(Math.max(...ys) - 0.5));
  for (let y = first; y <= last; y++) {
    const centre = y + 0.5;
    const crossings: number[] = [];
    for (let point = 0; point < points; point++) {
      const next = (point + 1) % points;
      const y0 = ring[2 * point + 1] as number;
      const y1 = ring[2 * next + 1] as number;
      if (y0 <= centre === y1 <= centre) continue;
      const x0 = ring[2 * point] as number;
      crossings.push(x0 + ((centre - y0) / (y1 - y0)) * ((ring[2 * next] as number) - x0));
    }
    crossings.sort((a, b) => a - b);
    for (let pair = 0; pair + 1 < crossings.length; pair += 2) {
      const from = Math.max(0, Math.ceil((crossings[pair] as number) - 0.5));
      const to = Math.min(width, Math.ceil((crossings[pair + 1] as number) - 0.5));
      if (to > from) raster.fill(value, y * width + from, y * width + to);
    }
  }
}
