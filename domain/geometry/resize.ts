/**
 * Nearest resize by pixel centres of a raster of `width` × `height` values, row by row: target pixel x reads
 * floor((x + 0.5) * width / toWidth). Values are never mixed, so that labels stay labels.
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
