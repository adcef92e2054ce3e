import { connectedComponents, skipValues } from './geometry/components.js';
import { decodeRle } from './geometry/rle.js';
import { BACKGROUND } from './taxonomy.js';

/** A finding as far as it says what the label should be. */
export interface Suggestion {
  classId: number;
  suggestedClassId: number | null;
  /** COCO uncompressed run lengths on a grid of `size` [height, width] over the whole upright image; null for none. */
  proposal: { size: [number, number]; counts: number[] } | null;
}

/** A labelled component that the proposal covers at least so far is changed as a whole: its rim falls between grid points. */
const WHOLE_AT = 0.8;

/** True where accepting the finding changes the label: it proposes a region and another class for it. */
export function isApplicable({ classId, suggestedClassId, proposal }: Suggestion): boolean {
  return proposal !== null && suggestedClassId !== null && suggestedClassId !== classId;
}

/**
 * The label [height, width] with a suggestion accepted: inside the proposed region, pixels of the class that the finding
 * objects to get the suggested class. Other classes are never touched, and doing it twice changes nothing more.
 */
export function applySuggestion(label: Uint8Array, width: number, height: number, suggestion: Suggestion): Uint8Array {
  const { classId, suggestedClassId, proposal } = suggestion;
  if (proposal === null || suggestedClassId === null || suggestedClassId === classId) return label;
  const [rows, columns] = proposal.size;
  const region = decodeRle(proposal.counts, columns, rows);
  const proposed = (pixel: number): boolean => {
    const y = Math.min(rows - 1, Math.floor(((Math.floor(pixel / width) + 0.5) * rows) / height));
    const x = Math.min(columns - 1, Math.floor((((pixel % width) + 0.5) * columns) / width));
    return region[y * columns + x] === 1;
  };
  const whole = classId === BACKGROUND ? null : mostlyInside(label, width, height, classId, proposed);
  return label.map((value, pixel) =>
    value === classId && (proposed(pixel) || whole?.(pixel) === true) ? suggestedClassId : value,
  );
}

function mostlyInside(
  label: Uint8Array,
  width: number,
  height: number,
  value: number,
  proposed: (pixel: number) => boolean,
): (pixel: number) => boolean {
  const others = Array.from({ length: 256 }, (_, other) => other).filter((other) => other !== value);
  const { ids, list } = connectedComponents(label, width, height, skipValues(...others));
  const covered = new Int32Array(list.length);
  for (let pixel = 0; pixel < ids.length; pixel++) {
    const id = ids[pixel] as number;
    if (id >= 0 && proposed(pixel)) covered[id] = (covered[id] as number) + 1;
  }
  return (pixel) => {
    const component = list[ids[pixel] as number];
    return component !== undefined && (covered[component.id] as number) >= WHOLE_AT * component.area;
  };
}
