import { z } from 'zod';
import { removalOutcomeSchema } from './removals.js';

const count = z.number().int().nonnegative();

/** Reasons of refusal by kind, the most frequent first. */
const reasonSchema = z.object({ reason: z.string(), count, examples: z.array(z.string()) });
const noticeSchema = z.object({ notice: z.string(), count, examples: z.array(z.string()) });

/**
 * What became of a drop, for good: `pools/POOL/ingest/receipts/ARRIVAL.json`, written once and before anything of the
 * drop is deleted.
 */
export const receiptSchema = z.object({
  version: z.literal(1),
  pool: z.string(),
  drop: z.string(),
  /** Names this arrival of the drop; sorts by time. */
  arrival: z.string(),
  /** Of paths, sizes, ETags and rules. */
  digest: z.string(),
  /** taken: its good images are in the pool; repeated: brought by an earlier arrival; refused: nothing was taken. */
  outcome: z.enum(['taken', 'repeated', 'refused']),
  /** Why it was refused as a whole. */
  reason: z.string().nullable(),
  /** The earlier arrival with the same files. */
  sameAs: z.string().nullable(),
  firstSeenAt: z.string(),
  settledAt: z.string(),
  files: count,
  bytes: count,
  format: z.enum(['coco', 'masks']).nullable(),
  /** Entries of the labels: the counts below add up to it. */
  entries: count,
  added: count,
  replaced: count,
  updated: count,
  restored: count,
  known: count,
  /** Removed from the pool earlier, and left out again. */
  removedEarlier: count,
  refused: count,
  /** Files that no label names. */
  strays: count,
  /** Images added that are near duplicates of others in the pool. */
  nearDuplicates: count,
  split: z.object({ train: count, val: count, test: count, drawn: count }),
  poolVersion: count,
  reasons: z.array(reasonSchema),
  notices: z.array(noticeSchema),
  removals: removalOutcomeSchema.nullable(),
  /** Folder with the files that were not taken, and a reason beside each; null if all were taken. */
  rejected: z.string().nullable(),
});
export type Receipt = z.infer<typeof receiptSchema>;

/** Why a file was not taken: an object beside it. */
export interface Rejection {
  pool: string;
  drop: string;
  arrival: string;
  /** Path in the drop. */
  file: string;
  reason: string;
  rejectedAt: string;
}
