/** Longest side of the copies that training reads: room for crops at the largest training size. */
export function derivativeSide(imageSize: number): number {
  return Math.ceil(1.25 * imageSize);
}
