/** Side of a thumbnail in pixels. */
export const THUMBNAIL_SIDE = 32;

/** A picture as THUMBNAIL_SIDE² grey values, row by row, whatever its own size and shape. */
export type Thumbnail = Uint8Array;

/**
 * The least likeness of one picture saved twice. Chosen on half of 500 DSMLR photos and 225 rendered cars at 96 to 512
 * pixels, and checked on the other (`npm run bench -- copies`, 2026-11-27, docs/results/pools.md): different pictures
 * reach 0.90, copies of a whole picture hardly ever less than 0.99, copies with 2 % cut off less than 0.95.
 */
export const SAME_LIKENESS = 0.95;
/** Deviation of the greys below which a thumbnail shows nothing, and the most that two such may be apart on average. */
const FLAT = { deviation: 2, apart: 6 } as const;

/**
 * Whether two thumbnails show one picture: saved again in another size, quality or format, a little brighter, or with a
 * little cut off. Brightness and contrast do not count, since the greys are compared by their correlation.
 */
export function isSamePicture(a: Thumbnail, b: Thumbnail): boolean {
  return likeness(a, b) >= SAME_LIKENESS;
}

/** Where the picture most alike is among those that show the same; -1 if none does. Unreadable ones are null. */
export function mostAlike(picture: Thumbnail, others: readonly (Thumbnail | null)[]): number {
  let [place, most] = [-1, Number.NEGATIVE_INFINITY];
  for (const [at, other] of others.entries()) {
    if (other === null || !isSamePicture(picture, other)) continue;
    const alike = likeness(picture, other);
    if (alike > most) [place, most] = [at, alike];
  }
  return place;
}

/**
 * Correlation of the greys of two thumbnails, -1 to 1. It says nothing of a picture without any detail: two such are
 * alike if they are about as bright.
 */
export function likeness(a: Thumbnail, b: Thumbnail): number {
  const count = THUMBNAIL_SIDE ** 2;
  if (a.length !== count || b.length !== count)
    throw new RangeError(`thumbnails have ${count} pixels, not ${a.length} and ${b.length}`);
  let [sumA, sumB, squaresA, squaresB, products] = [0, 0, 0, 0, 0];
  for (let at = 0; at < count; at++) {
    const [one, other] = [a[at] as number, b[at] as number];
    sumA += one;
    sumB += other;
    squaresA += one * one;
    squaresB += other * other;
    products += one * other;
  }
  const varianceA = squaresA / count - (sumA / count) ** 2;
  const varianceB = squaresB / count - (sumB / count) ** 2;
  const isFlat = (variance: number): boolean => variance < FLAT.deviation ** 2;
  if (isFlat(varianceA) && isFlat(varianceB)) return Math.abs(sumA - sumB) / count <= FLAT.apart ? 1 : 0;
  if (isFlat(varianceA) || isFlat(varianceB)) return 0;
  return (products / count - (sumA / count) * (sumB / count)) / Math.sqrt(varianceA * varianceB);
}
