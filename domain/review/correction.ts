import { z } from 'zod';
import { PartloopError } from '../base/errors.js';
import { parseText } from '../base/jsonText.js';
import { connectedComponents, skipValues } from '../geometry/components.js';
import { resizeNearest } from '../geometry/resize.js';
import { decodeRle } from '../geometry/rle.js';
import type { FindingRow } from '../tables.js';
import { BACKGROUND } from '../taxonomy.js';

const side = z.number().int().min(1).max(4_096);

/**
 * A region as the scan writes it: COCO uncompressed run lengths on a grid of `size` [height, width] over the upright
 * image.
 */
export const proposalSchema = z.object({
  size: z.tuple([side, side]),
  counts: z.array(z.number().int().nonnegative()),
});

/** The correction in a finding: pixels of `from` in the region become `to`. */
export interface Suggestion {
  from: number;
  to: number;
  proposal: z.output<typeof proposalSchema>;
}

/**
 * A labelled component that the proposal covers by at least this share is changed as a whole, since its rim falls
 * between grid points.
 */
const WHOLE_AT = 0.8;

/**
 * The change if a finding is accepted; null if it proposes no region, or no other class for it.
 *
 * @throws PartloopError `data-invalid` for a damaged proposal
 */
export function suggestionOf({
  findingId,
  classId,
  suggestedClassId,
  proposal,
}: Pick<FindingRow, 'findingId' | 'classId' | 'suggestedClassId' | 'proposal'>): Suggestion | null {
  if (proposal === null || suggestedClassId === null || suggestedClassId === classId) return null;
  const parsed = proposalSchema.safeParse(parseText(proposal, `the proposal of finding ${findingId}`));
  if (parsed.success) return { from: classId, to: suggestedClassId, proposal: parsed.data };
  throw new PartloopError('data-invalid', `finding ${findingId} has a damaged proposal: ${parsed.error.message}`);
}

/**
 * The label [height, width] with a suggestion accepted: inside the proposed region, pixels of the class that the
 * finding objects to get the suggested class. Other classes are never touched, and a second application changes
 * nothing. The region is scaled from the scan's grid by nearest pixel.
 */
export function applySuggestion(
  label: Uint8Array,
  width: number,
  height: number,
  { from, to, proposal }: Suggestion,
): Uint8Array {
  const [rows, columns] = proposal.size;
  const region = resizeNearest(decodeRle(proposal.counts, columns, rows), columns, rows, width, height);
  const whole = from === BACKGROUND ? null : mostlyInside(label, width, height, from, region);
  return label.map((value, pixel) => (value === from && (region[pixel] === 1 || whole?.(pixel) === true) ? to : value));
}

function mostlyInside(
  label: Uint8Array,
  width: number,
  height: number,
  value: number,
  region: Uint8Array,
): (pixel: number) => boolean {
  const others = Array.from({ length: 256 }, (_, other) => other).filter((other) => other !== value);
  const { ids, list } = connectedComponents(label, width, height, skipValues(...others));
  const covered = new Int32Array(list.length);
  for (let pixel = 0; pixel < ids.length; pixel++) {
    const id = ids[pixel] as number;
    if (id >= 0 && region[pixel] === 1) covered[id] = (covered[id] as number) + 1;
  }
  return (pixel) => {
    const component = list[ids[pixel] as number];
    return component !== undefined && (covered[component.id] as number) >= WHOLE_AT * component.area;
  };
}
