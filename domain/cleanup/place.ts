import { z } from 'zod';

/** The parts of a sweep, in order. */
export const SWEEP_PARTS = ['loops', 'evaluations', 'copies', 'uploads'] as const;

/** Where a sweep goes on: at the loops and scans behind this name, or at one of the parts after them. */
export const sweepPlaceSchema = z.object({
  part: z.enum(SWEEP_PARTS),
  after: z.string().nullable(),
});
export type SweepPlace = z.infer<typeof sweepPlaceSchema>;

/** The part after this one; null at the end. */
export function nextPart(part: SweepPlace['part']): SweepPlace | null {
  const next = SWEEP_PARTS[SWEEP_PARTS.indexOf(part) + 1];
  return next === undefined ? null : { part: next, after: null };
}

/** The beginning of a sweep. */
export const FIRST_PLACE: SweepPlace = { part: 'loops', after: null };
