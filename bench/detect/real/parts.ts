import { connectedComponents, skipValues } from '../../../domain/geometry/components.js';
import { BACKGROUND, IGNORE_INDEX } from '../../../domain/taxonomy.js';

/** Smaller components count neither as right nor as wrong. */
export const LEAST_SHARE = 0.001;
/** A component is named by the other label if that has its class on at least this share of it. */
const NAMED = 0.5;

type Box = [x0: number, y0: number, x1: number, y1: number];

/**
 * A part of which two labels of a picture disagree. `missing_part`: the old label has background there;
 * `wrong_class`: it names other parts; `extra_part`: it names a part where the corrected one has background.
 */
export interface WrongPart {
  kind: 'missing_part' | 'wrong_class' | 'extra_part';
  /** Right label value of the part; background for an extra one. */
  value: number;
  /** Shares of the picture's sides, ends exclusive. */
  box: Box;
  /** Indices of its pixels, row by row. */
  pixels: readonly number[];
}

/**
 * The parts by which an old label is wrong: components of at least 0.1 % of the picture in the corrected label of
 * which the old one names less than half, and the other way round. A redrawn outline is none. A wrong part of the old
 * label that is named already by its right place in the corrected one is not listed twice.
 */
export function wrongParts(old: Uint8Array, corrected: Uint8Array, width: number, height: number): WrongPart[] {
  const inCorrected = unnamed(corrected, old, width, height).map(
    ({ value, box, pixels, background }): WrongPart => ({
      kind: background ? 'missing_part' : 'wrong_class',
      value,
      box,
      pixels,
    }),
  );
  const known = new Set(inCorrected.flatMap(({ pixels }) => pixels));
  const inOld = unnamed(old, corrected, width, height).flatMap(({ box, pixels, background, most }): WrongPart[] => {
    if (background) return [{ kind: 'extra_part', value: BACKGROUND, box, pixels }];
    const told = pixels.filter((pixel) => known.has(pixel)).length;
    return told >= NAMED * pixels.length ? [] : [{ kind: 'wrong_class', value: most, box, pixels }];
  });
  return [...inCorrected, ...inOld];
}

/** Share of the picture that lies in a wrong part, 0..1. */
export function wrongShare(parts: readonly WrongPart[], width: number, height: number): number {
  return new Set(parts.flatMap(({ pixels }) => pixels)).size / (width * height);
}

interface Unnamed {
  value: number;
  box: Box;
  pixels: number[];
  /** The other label has background on at least half of what it does not name so. */
  background: boolean;
  /** The part that the other label names most often there instead; background if none. */
  most: number;
}

/** Components of `label` of which `other` names less than half. */
function unnamed(label: Uint8Array, other: Uint8Array, width: number, height: number): Unnamed[] {
  const { ids, list } = connectedComponents(label, width, height, skipValues(BACKGROUND, IGNORE_INDEX));
  const pixels = list.map((): number[] => []);
  ids.forEach((id, pixel) => {
    if (id >= 0) pixels[id]?.push(pixel);
  });
  return list.flatMap(({ id, value, area, x0, y0, x1, y1 }): Unnamed[] => {
    if (area < LEAST_SHARE * width * height) return [];
    const own = pixels[id] ?? [];
    const counts = new Int32Array(256);
    for (const pixel of own) counts[other[pixel] as number] = (counts[other[pixel] as number] as number) + 1;
    const named = counts[value] as number;
    if (named >= NAMED * area) return [];
    const bare = counts[BACKGROUND] as number;
    counts[value] = 0;
    counts[BACKGROUND] = 0;
    const most = counts.reduce((best, count, at) => (count > (counts[best] as number) ? at : best), BACKGROUND);
    return [
      {
        value,
        box: [x0 / width, y0 / height, x1 / width, y1 / height],
        pixels: own,
        background: bare >= NAMED * area,
        most,
      },
    ];
  });
}
