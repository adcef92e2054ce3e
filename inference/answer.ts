import { PartloopError } from '../domain/base/errors.js';
import { IGNORE_INDEX } from '../domain/taxonomy.js';

/** A scan network's answer for one picture [side, side]; its top left `width` × `height` is the picture. */
export interface NetworkAnswer {
  mask: Uint8Array;
  /** 255 × probability of the found class. */
  pMask: Uint8Array;
  side: number;
  width: number;
  height: number;
}

/** Whether an error concerns one answer: the network's answer for this picture cannot be used. */
export const isFaultOfAnswer = (error: unknown): error is PartloopError =>
  error instanceof PartloopError && error.code === 'answer-invalid';

/**
 * The reason why an answer cannot be used, or null. A scan head writes 255 for pixels without a number. Heads of older
 * files write 0 with probability 0; real numbers give that at most along the edges of parts.
 */
export function answerFault({ mask, pMask, side, width, height }: NetworkAnswer, classes: number): string | null {
  let nowhere = 0;
  let impossible = 0;
  for (let y = 0; y < height; y++) {
    for (let at = y * side, end = at + width; at < end; at++) {
      const value = mask[at] as number;
      if (value > classes) {
        if (value !== IGNORE_INDEX) return `it finds class ${value}, the taxonomy ends at ${classes}`;
        nowhere++;
      } else if (pMask[at] === 0) impossible++;
    }
  }
  const pixels = width * height;
  const without = nowhere > 0 ? nowhere : 2 * impossible > pixels ? impossible : 0;
  if (without === 0) return null;
  const share = Math.max(1, Math.round((100 * without) / pixels));
  return `it gives no number (NaN or infinity) for ${share} % of the pixels`;
}
