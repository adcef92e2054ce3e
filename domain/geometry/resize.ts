/**
 * Nearest resize by pixel centres of a raster of `width` × `height` values, row by row: target pixel x reads floor((x +
 * 0.5) * width / toWidth). Values are never mixed, so labels stay labels.
 */
export function resizeNearest(
  values: Uint8Array,
  width: number,
  height: number,
  toWidth: number,
  toHeight: number,
): Uint8Array {
  const columns = Int32Array.from({ length: toWidth }, (_, x) =>
    Math.min(width - 1, Math.floor(((x + 0.5) * width) / toWidth)),
  );
  const resized = new Uint8Array(toWidth * toHeight);
  for (let y = 0; y < toHeight; y++) {
    const row = Math.min(height - 1, Math.floor(((y + 0.5) * height) / toHeight)) * width;
    for (let x = 0; x < toWidth; x++) resized[y * toWidth + x] = values[row + (columns[x] as number)] as number;
  }
  return resized;
}

/** The top left `width` × `height` of a raster whose rows are `stride` long. */
export function cropTopLeft(values: Uint8Array, stride: number, width: number, height: number): Uint8Array {
  const cropped = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) cropped.set(values.subarray(y * stride, y * stride + width), y * width);
  return cropped;
}

/**
 * Bilinear enlargement of [height, width, 3] bytes by pixel centres, the edge repeated. Equal to Pillow's, apart from
 * rounding. Not for reduction, which needs a filter as wide as the step.
 */
export function enlargeBilinear(
  values: Uint8Array,
  width: number,
  height: number,
  toWidth: number,
  toHeight: number,
): Uint8Array {
  const columns = stops(width, toWidth);
  const rows = stops(height, toHeight);
  const enlarged = new Uint8Array(toWidth * toHeight * 3);
  const at = (x: number, y: number, channel: number): number => values[(y * width + x) * 3 + channel] as number;
  let target = 0;
  for (const row of rows) {
    for (const column of columns) {
      for (let channel = 0; channel < 3; channel++) {
        const above =
          at(column.low, row.low, channel) * (1 - column.share) + at(column.high, row.low, channel) * column.share;
        const below =
          at(column.low, row.high, channel) * (1 - column.share) + at(column.high, row.high, channel) * column.share;
        enlarged[target++] = Math.round(above * (1 - row.share) + below * row.share);
      }
    }
  }
  return enlarged;
}

/** For each target pixel the two source pixels around its centre, and the share of the second. */
function stops(from: number, to: number): { low: number; high: number; share: number }[] {
  return Array.from({ length: to }, (_, index) => {
    const centre = Math.min(Math.max(((index + 0.5) * from) / to - 0.5, 0), from - 1);
    const low = Math.floor(centre);
    return { low, high: Math.min(low + 1, from - 1), share: centre - low };
  });
}
