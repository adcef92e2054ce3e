/** Red, green, blue, each 0..255. */
export type Rgb = readonly [number, number, number];

export const css = (colour: Rgb): string =>
  `rgb(${colour.map((part) => Math.round(Math.min(255, Math.max(0, part)))).join(',')})`;
export const scaled = ([r, g, b]: Rgb, by: number): Rgb => [r * by, g * by, b * by];
export const blend = (a: Rgb, b: Rgb, share: number): Rgb => [
  a[0] + (b[0] - a[0]) * share,
  a[1] + (b[1] - a[1]) * share,
  a[2] + (b[2] - a[2]) * share,
];

/** Paints seen on roads, none of them black: black is a tag. */
export const PAINTS: readonly Rgb[] = [
  [226, 228, 230],
  [190, 193, 198],
  [142, 147, 153],
  [104, 110, 118],
  [172, 34, 38],
  [36, 72, 142],
  [58, 116, 176],
  [40, 96, 70],
  [205, 178, 120],
  [214, 120, 40],
  [126, 40, 60],
  [232, 204, 70],
];
export const BLACK_PAINT: Rgb = [30, 31, 34];
