import { z } from 'zod';

const names = z.array(z.string().min(1).max(1_024)).max(100_000);

/** What a client asks to be taken out: `removals.json` of a drop. */
export const removalRequestSchema = z
  .strictObject({
    images: names.default([]).describe('Ids or file names of images'),
    vehicles: z.array(z.string().min(1).max(1_024)).max(10_000).default([]).describe('All images of these vehicles'),
    reason: z.string().max(2_000).default('').describe('Why, for the receipt'),
  })
  .refine(({ images, vehicles }) => images.length + vehicles.length > 0, 'it names no image and no vehicle');
export type RemovalRequest = z.infer<typeof removalRequestSchema>;

/** What became of a removal request. */
export const removalOutcomeSchema = z.object({
  /**
   * removed: out of the pool, and `pool restore` takes them back; too-many: more than the rules allow, so that nothing
   * was done; invalid: the file is not a request.
   */
  outcome: z.enum(['removed', 'too-many', 'invalid']),
  asked: z.number().int(),
  /** Images out of the pool by this request. */
  removed: z.number().int(),
  /** Name of the removal for `pool restore --removal`; null if nothing was removed. */
  removal: z.string().nullable(),
  unknown: z.array(z.string()),
  reason: z.string(),
  /** What a person may do: the command that deletes the bytes, or that removes them after all. */
  next: z.string().nullable(),
});
export type RemovalOutcome = z.infer<typeof removalOutcomeSchema>;
