import { z } from 'zod';
import { sha256Schema } from '../base/ids.js';
import { findingIdSchema, VERDICTS } from '../review/review.js';
import { AUDIT_VERDICTS, MAX_OBJECTIONS, redrawnSchema } from './batch.js';

/** Findings that the page fetches ahead of the one on the screen. */
export const PREFETCHED = 5;
/** The long side of pictures that the page shows, in pixels. Labels keep theirs. */
export const SHOWN_SIDE = 2_048;
/** Largest label that can be redrawn on the page, in pixels. */
export const MAX_REDRAWN_PIXELS = 64 * 2 ** 20;

/** POST …/answers */
export const answerRequestSchema = z.object({
  findingId: findingIdSchema,
  verdict: z.enum(VERDICTS),
  comment: z.string().trim().max(2_000).default(''),
  redrawn: redrawnSchema.nullable().default(null),
  activeMs: z
    .number()
    .int()
    .min(0)
    .max(24 * 3_600_000),
});
export type AnswerRequest = z.input<typeof answerRequestSchema>;

/** POST …/audit/answers */
export const auditRequestSchema = answerRequestSchema.omit({ findingId: true, verdict: true }).extend({
  imageId: sha256Schema,
  verdict: z.enum(AUDIT_VERDICTS),
  objectsTo: z.array(findingIdSchema).max(MAX_OBJECTIONS).default([]),
});
export type AuditRequest = z.input<typeof auditRequestSchema>;

/** Shares of the upright picture. */
export interface Box {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

/** A class by its label value. */
export interface NamedClass {
  value: number;
  name: string;
}

/** A picture with its label, and what a reviewer is asked about. */
export interface Shown {
  /** Of the finding, or of the image if the label as a whole is in question. */
  id: string;
  imageId: string;
  fileName: string;
  /** The place in question; null for the whole picture. */
  box: Box | null;
  /** Size of the label, pixels. */
  width: number;
  height: number;
  tags: string;
  /** The class that the label has there, and the one that is proposed. */
  given: NamedClass | null;
  proposed: NamedClass | null;
  /** True if a proposed mask exists: the answer "proposal right" changes the label. */
  hasProposal: boolean;
  /** What this reviewer answered before; null if nothing. */
  answer: { verdict: string; comment: string } | null;
}

/** A finding as the review page shows it. */
export interface ShownFinding extends Shown {
  kind: string;
  sentence: string;
  given: NamedClass;
  pWrong: number;
  box: Box;
  /** A class to show, and how many examples of it there are. */
  examples: NamedClass & { count: number };
  /** The label that the scan judged is no longer the pool's. */
  isStale: boolean;
}

/** An image of the audit sample as its page shows it. */
export interface ShownImage extends Shown {
  /** What the scan reported of the image: shown to a reviewer who found the label wrong, and not before. */
  findings: readonly { findingId: string; sentence: string; box: Box }[];
}

/** GET …/queue */
export interface QueueAnswer<Item extends Shown = ShownFinding> {
  items: Item[];
  progress: Progress;
}

/** How far the review is, and how fast this reviewer goes. */
export interface Progress {
  /** Findings that match the filter, or images of the audit sample, and those of them that are answered. */
  matching: number;
  answered: number;
  /** Answers of this reviewer to the scan, and those not yet handed in. */
  own: number;
  waiting: number;
  /** Median seconds per answer of this reviewer without idle time; null before the first. */
  secondsPerAnswer: number | null;
  /** Hours left for one person at this pace; null before the first answer. */
  hoursLeft: number | null;
}
