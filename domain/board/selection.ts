import { z } from 'zod';
import { seededRandom, shuffle } from '../base/random.js';
import { findingIdSchema, VERDICTS } from '../review/review.js';
import type { QueueFinding } from './queue.js';

/** So many of a selection are shown large before one answer may stand for all. */
export const LOOKED_AT = 10;
const MAX_SELECTED = 500;

/** POST …/selections */
export const selectionRequestSchema = z.object({ findingIds: z.array(findingIdSchema).min(1).max(MAX_SELECTED) });

/** POST …/selections/ID/answer */
export const selectionAnswerSchema = z.object({
  verdict: z.enum(VERDICTS).exclude(['wrong']),
  /** The findings that the reviewer saw large and agreed with. */
  seen: z.array(findingIdSchema).max(LOOKED_AT),
  activeMs: z
    .number()
    .int()
    .min(0)
    .max(24 * 3_600_000),
});

/** Why findings cannot be answered at once; null if they can: they are of one kind, and about the same classes. */
export function whyNotTogether(findings: readonly QueueFinding[]): string | null {
  const sorts = new Set(
    findings.map(({ kind, classId, suggestedClassId }) => `${kind} ${classId} ${suggestedClassId}`),
  );
  return sorts.size <= 1 ? null : `they are of ${sorts.size} kinds or pairs of classes`;
}

/** The findings of a selection that a reviewer has to see large, at random; all of a small one. */
export function toLookAt(findingIds: readonly string[], seed: string): string[] {
  return shuffle([...findingIds].sort(), seededRandom('board', 'selection', seed)).slice(0, LOOKED_AT);
}
