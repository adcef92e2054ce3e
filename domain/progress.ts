import { z } from 'zod';

/** What an activity is at: an ingest and a clean-up first, then in the order of an iteration. */
export const PHASES = [
  'reading a drop',
  'clearing the store',
  'reading the index',
  'comparing with test images',
  'looking for images',
  'judging',
  'reading what was judged',
  'fetching training images',
  'fetching validation images',
  'resuming after lost checkpoints',
  'training',
  'exporting',
  'judging test images',
  'judging test images with the model in production',
  'judging test images with the control',
  'drawing pictures',
] as const;

/** The progress of an activity: the details of its heartbeat, the same for all activities. */
export const progressSchema = z.object({
  phase: z.enum(PHASES),
  done: z.number().int().nonnegative(),
  total: z.number().int().nonnegative(),
  unit: z.enum(['images', 'shards', 'iterations', 'pictures', 'loops']),
  /** Further information for people, as text. */
  note: z.string().optional(),
});
export type Progress = z.infer<typeof progressSchema>;

/** `training, 120 of 300 iterations, loss 0.61, 84 s left`. */
export function progressText({ phase, done, total, unit, note }: Progress): string {
  return [phase, `${done} of ${total} ${unit}`, ...(note === undefined ? [] : [note])].join(', ');
}
