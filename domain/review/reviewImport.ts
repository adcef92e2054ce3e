import { z } from 'zod';
import { nameSchema, sha256Schema } from '../base/ids.js';

/** The name of a review import and of its answers' file: a ULID. */
export const reviewIdSchema = z.string().regex(/^[0-9A-HJKMNP-TV-Z]{26}$/);

/** The scan of the answers: its own name, or `<loop>:<iteration>`. */
export const answeredScanSchema = z.string().min(1).max(80);
/** Longest name of a reviewer that is kept. */
export const MAX_REVIEWER = 200;
export const reviewerSchema = z.string().max(MAX_REVIEWER);

/** The reviewer's name of automatic corrections. */
export const PROPAGATE = 'partloop:propagate';

/** Automatic corrections that follow from reviewers' answers: what they rest on, and what they are. */
export const propagationSchema = z.object({
  /** The draw that the answers belong to, and its number among those of the scan. */
  round: reviewIdSchema,
  number: z.number().int().min(1),
  /** The iteration that wrote the corrections by itself; a scan outside a loop is iteration 1 of its name. */
  by: z.object({ loop: nameSchema, iteration: z.number().int().positive() }).optional(),
  /** At most this share of the corrections is harmful, with this confidence over all rounds of the scan. */
  alpha: z.number().gt(0).lt(1),
  confidence: z.number().gt(0).lt(1),
  /** The answers; `none` for a drawn finding that nobody answered, which counts as a harmful correction. */
  answers: z.array(z.object({ findingId: z.string().min(1).max(64), verdict: z.string().max(16) })),
  /** The corrections, each with its score of the draw. */
  corrections: z.array(
    z.object({
      findingId: z.string().min(1).max(64),
      imageId: sha256Schema,
      score: z.number().min(0).max(1),
    }),
  ),
});
export type Propagation = z.infer<typeof propagationSchema>;

/** The record of a review import: the first line of `pools/<pool>/reviews/<id>.jsonl`. */
export const reviewImportSchema = z.object({
  type: z.literal('import'),
  at: z.iso.datetime(),
  reviewer: reviewerSchema.nullable(),
  /** The scan whose findings were answered; null if the answers may name findings of any scan. */
  scan: answeredScanSchema.nullable(),
  /** The export that labels came back from; null for a table of answers. */
  exportId: z.string().max(64).nullable(),
  /** Digest of a table of answers; null for labels. */
  tableSha256: sha256Schema.nullable(),
  /** The label that each returned image asked for. */
  asked: z.array(z.object({ imageId: sha256Schema, labelSha256: sha256Schema })),
  /** Absent for answers and labels of people. */
  propagation: propagationSchema.optional(),
});
export type ReviewImport = z.infer<typeof reviewImportSchema>;

/**
 * An import of reviews is undone: none of its answers counts any longer. A line of `pools/<pool>/reviews/<ulid>.jsonl`.
 */
export const withdrawalSchema = z.object({
  type: z.literal('withdrawal'),
  /** The review import. */
  review: reviewIdSchema,
  at: z.iso.datetime(),
});
export type Withdrawal = z.infer<typeof withdrawalSchema>;
