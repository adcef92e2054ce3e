import { IGNORE_INDEX } from '../domain/taxonomy.js';

/** Colour of the padding, RGB. */
export const PAD_RGB = [124, 116, 104] as const;

/**
 * Size of a picture inside the S×S canvas: the longest side is S, halves round up, at least 1. Mirrors
 * trainer/preprocess.py.
 */
export function contentSize(width: number, height: number, size: number): { width: number; height: number } {
  const longest = Math.max(width, height);
  const scaled = (side: number): number => Math.max(1, Math.floor((2 * side * size + longest) / (2 * longest)));
  return { width: scaled(width), height: scaled(height) };
}

/**
 * Write a picture [height, width, 3] to the top left of `canvas` [size, size, 3], and `PAD_RGB` elsewhere; returns the
 * canvas.
 */
export function padImage(
  content: Uint8Array,
  width: number,
  height: number,
  size: number,
  canvas: Uint8Array = new Uint8Array(size * size * 3),
): Uint8Array {
  const padding = Uint8Array.from({ length: size * 3 }, (_, at) => PAD_RGB[at % 3] as number);
  for (let y = 0; y < size; y++) {
    const inside = y < height ? width : 0;
    if (inside > 0) canvas.set(content.subarray(y * width * 3, (y + 1) * width * 3), y * size * 3);
    canvas.set(padding.subarray(inside * 3), (y * size + inside) * 3);
  }
  return canvas;
}

/** [S, S] label: the content at the top left, ignored elsewhere. */
export function padLabel(content: Uint8Array, width: number, height: number, size: number): Uint8Array {
  const canvas = new Uint8Array(size * size).fill(IGNORE_INDEX);
  for (let y = 0; y < height; y++) canvas.set(content.subarray(y * width, (y + 1) * width), y * size);
  return canvas;
}
