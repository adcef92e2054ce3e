import { z } from 'zod';
import { findingIdSchema, VERDICTS } from '../review/review.js';
import { redrawnSchema } from './batch.js';

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

/** A finding as the review page shows it. */
export interface ShownFinding {
  findingId: string;
  imageId: string;
  fileName: string;
  kind: string;
  sentence: string;
  /** Label value and name that it objects to, and that it proposes. */
  given: { value: number; name: string };
  proposed: { value: number; name: string } | null;
  pWrong: number;
  /** Shares of the upright picture. */
  box: { x0: number; y0: number; x1: number; y1: number };
  /** Size of the label, pixels. */
  width: number;
  height: number;
  tags: string;
  /** True if a proposed mask exists: the answer "proposal right" changes the label. */
  hasProposal: boolean;
  /** A class to show, and how many examples of it there are. */
  examples: { value: number; name: string; count: number };
  /** The label that the scan judged is no longer the pool's. */
  isStale: boolean;
  /** What this reviewer answered before; null if nothing. */
  answer: { verdict: string; comment: string } | null;
}

/** GET …/queue */
export interface QueueAnswer {
  findings: ShownFinding[];
  progress: Progress;
}

/** How far the review is, and how fast this reviewer goes. */
export interface Progress {
  /** Findings that match the filter, and those of them that are answered. */
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
