import { connectedComponents, skipValues } from '../geometry/components.js';
import { BACKGROUND, IGNORE_INDEX } from '../taxonomy.js';

/** A label is wrong if a component of this share of the image has the wrong class, … */
const OF_IMAGE = 0.001;
/** … or this share of a part. */
const OF_PART = 0.3;

/**
 * True if a corrected label shows that the previous one was wrong, and not only drawn a little carelessly: a connected
 * component of at least 0.1 % of the image, or at least 30 % of a part, now has another class. Both labels are `width`
 * × `height`; a part is a connected component of one class in either.
 */
export function isWrongLabel(before: Uint8Array, after: Uint8Array, width: number, height: number): boolean {
  const changed = Uint8Array.from(before, (value, pixel) => (value === after[pixel] ? 0 : 1));
  const changes = connectedComponents(changed, width, height, skipValues(0)).list;
  if (changes.some(({ area }) => area >= OF_IMAGE * width * height)) return true;
  return [before, after].some((label) => {
    const { ids, list } = connectedComponents(label, width, height, skipValues(BACKGROUND, IGNORE_INDEX));
    const lost = new Uint32Array(list.length);
    ids.forEach((id, pixel) => {
      if (id >= 0) lost[id] = (lost[id] as number) + (changed[pixel] as number);
    });
    return list.some(({ id, area }) => (lost[id] as number) >= OF_PART * area);
  });
}
