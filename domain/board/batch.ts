import { z } from 'zod';
import { nameSchema, sha256Schema } from '../base/ids.js';
import { findingIdSchema, VERDICTS } from '../review/review.js';
import { answeredScanSchema, MAX_REVIEWER, reviewIdSchema } from '../review/reviewImport.js';

/** A batch with so many answers is handed in by itself. */
export const BATCH_ANSWERS = 50;
/** So is one whose reviewer gave no answer for so long. */
export const BATCH_IDLE_MS = 10 * 60_000;

/** A reviewer's name: one line, without characters that reorder the text around it. */
export const boardReviewerSchema = z
  .string()
  .trim()
  .min(1, 'give a name')
  .max(MAX_REVIEWER, `a name has at most ${MAX_REVIEWER} characters`)
  .regex(/^[^\p{Cc}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069]*$/u, 'a name is one line without control characters');

/** A label that a reviewer drew: the label on the screen before, and after. Both are stored under their digests. */
export const redrawnSchema = z.object({ seen: sha256Schema, drawn: sha256Schema });
export type Redrawn = z.infer<typeof redrawnSchema>;

/** One answer of a reviewer on the board. */
export const boardAnswerSchema = z.object({
  findingId: findingIdSchema,
  imageId: sha256Schema,
  verdict: z.enum(VERDICTS),
  comment: z.string().max(2_000).nullable(),
  /** Only with `wrong`: the reviewer drew the right label. */
  redrawn: redrawnSchema.nullable(),
  answeredAt: z.iso.datetime(),
  /** Somebody else answered before: it measures agreement, and is no answer of the pool. */
  isSecond: z.boolean().default(false),
  /** Time from showing to answer without idle time. */
  activeMs: z
    .number()
    .int()
    .min(0)
    .max(24 * 3_600_000),
});
export type BoardAnswer = z.infer<typeof boardAnswerSchema>;

/**
 * Answers of one reviewer to one scan, at most one per finding, in the order in which they were given:
 * `pools/<pool>/board/batches/<id>.json`. `open`: can still change. `closing`: is being handed in as the review import
 * `review`. `closed`: was. `replaced`: was undone; another batch took over what remains of it.
 */
export const batchSchema = z.object({
  version: z.literal(1),
  id: reviewIdSchema,
  pool: nameSchema,
  scan: answeredScanSchema,
  reviewer: boardReviewerSchema,
  state: z.enum(['open', 'closing', 'closed', 'replaced']),
  /** The review import; null while the batch is open. */
  review: reviewIdSchema.nullable(),
  /** The closed batch whose answers this one took over, to change them. */
  replaces: reviewIdSchema.nullable(),
  answers: z.array(boardAnswerSchema).max(10_000),
});
export type Batch = z.infer<typeof batchSchema>;

/** The batch with one more answer; an earlier answer to the same finding goes. */
export const withAnswer = (batch: Batch, answer: BoardAnswer): Batch => ({
  ...batch,
  answers: [...batch.answers.filter(({ findingId }) => findingId !== answer.findingId), answer],
});

/** The batch without its last answer, and that answer; null if it has none. */
export function withoutLast(batch: Batch): { batch: Batch; undone: BoardAnswer } | null {
  const undone = batch.answers.at(-1);
  return undone === undefined ? null : { batch: { ...batch, answers: batch.answers.slice(0, -1) }, undone };
}

/** True for a batch to hand in now: it is full, or its reviewer went away. */
export function isDue({ state, answers }: Batch, now: Date): boolean {
  const last = answers.at(-1);
  if (state !== 'open' || last === undefined) return false;
  return answers.length >= BATCH_ANSWERS || now.getTime() - Date.parse(last.answeredAt) >= BATCH_IDLE_MS;
}

/**
 * True for a batch that no reviewer works on any longer, and that still waits for something: to be handed in, to be
 * closed after that, or to replace another one.
 */
export function isLeftOver(batch: Batch, others: readonly Batch[], now: Date): boolean {
  const isReplacing = others.some(({ id, state }) => id === batch.replaces && state === 'closed');
  return isReplacing || isDue({ ...batch, state: batch.state === 'closing' ? 'open' : batch.state }, now);
}

/** The answers that count: those of batches that were not replaced, without second ones, oldest first. */
export const standingAnswers = (batches: readonly Batch[]): { batch: Batch; answer: BoardAnswer }[] =>
  batches
    .filter(({ state }) => state !== 'replaced')
    .flatMap((batch) => batch.answers.flatMap((answer) => (answer.isSecond ? [] : { batch, answer })))
    .sort((a, b) =>
      a.answer.answeredAt < b.answer.answeredAt ? -1 : a.answer.answeredAt > b.answer.answeredAt ? 1 : 0,
    );
