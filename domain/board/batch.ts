import { z } from 'zod';
import { nameSchema, sha256Schema } from '../base/ids.js';
import { findingIdSchema, VERDICTS } from '../review/review.js';
import { answeredScanSchema, MAX_REVIEWER, reviewIdSchema } from '../review/reviewImport.js';

/** A batch with so many answers is handed in by itself. */
export const BATCH_ANSWERS = 50;
/** So is one whose reviewer gave no answer for so long. */
export const BATCH_IDLE_MS = 10 * 60_000;

const MAX_ANSWERS = 10_000;
/** Most findings of one image that an answer to its label can name. */
export const MAX_OBJECTIONS = 500;

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

/** What a reviewer can say of the whole label of an image of the audit sample. */
export const AUDIT_VERDICTS = ['right', 'wrong', 'unsure'] as const;

/** One answer of a reviewer to an image of the audit sample. */
export const auditGivenSchema = boardAnswerSchema.omit({ findingId: true, verdict: true, isSecond: true }).extend({
  /** The label that was looked at. */
  labelSha256: sha256Schema,
  verdict: z.enum(AUDIT_VERDICTS),
  /** Only with `wrong` and without a drawn label: findings of the image that hold. */
  objectsTo: z.array(findingIdSchema).max(MAX_OBJECTIONS),
});
export type AuditGiven = z.infer<typeof auditGivenSchema>;

/** One answer to a known error that the board itself made: it tells of the reviewer, and of no label. */
export const plantedAnswerSchema = boardAnswerSchema
  .pick({ verdict: true, answeredAt: true, activeMs: true })
  .extend({ plantedId: findingIdSchema });
export type PlantedAnswer = z.infer<typeof plantedAnswerSchema>;

/** The queues of a scan: what a reviewer takes back or hands in on one page leaves the other alone. */
export const QUEUES = ['findings', 'audit'] as const;
export type Queue = (typeof QUEUES)[number];

/**
 * Answers of one reviewer to one queue of a scan, at most one per finding or image, in the order in which they were
 * given: `pools/<pool>/board/batches/<id>.json`. `open`: can still change. `closing`: is being handed in as the review
 * import `review`. `closed`: was. `replaced`: was undone; another batch took over what remains of it.
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
  queue: z.enum(QUEUES).default('findings'),
  /** To findings; none in the queue `audit`. */
  answers: z.array(boardAnswerSchema).max(MAX_ANSWERS),
  /** To images of the audit sample; none in the queue `findings`. */
  audits: z.array(auditGivenSchema).max(MAX_ANSWERS).default([]),
  /** To known errors among the findings: apart, so that nobody takes one for an answer, and handed in nowhere. */
  planted: z.array(plantedAnswerSchema).max(MAX_ANSWERS).default([]),
});
export type Batch = z.infer<typeof batchSchema>;

/** The batch with one more answer; an earlier answer to the same finding goes. */
export const withAnswer = (batch: Batch, answer: BoardAnswer): Batch => ({
  ...batch,
  answers: [...batch.answers.filter(({ findingId }) => findingId !== answer.findingId), answer],
});

/** The same with an answer to an image of the audit sample. */
export const withAudit = (batch: Batch, answer: AuditGiven): Batch => ({
  ...batch,
  audits: [...batch.audits.filter(({ imageId }) => imageId !== answer.imageId), answer],
});

/** The same with an answer to a known error. */
export const withPlanted = (batch: Batch, answer: PlantedAnswer): Batch => ({
  ...batch,
  planted: [...batch.planted.filter(({ plantedId }) => plantedId !== answer.plantedId), answer],
});

/** What a batch holds: its answers, whatever they are about. */
export const sizeOf = ({ answers, audits, planted }: Batch): number => answers.length + audits.length + planted.length;

/** What is taken back with the last answer of a batch. */
export interface Undone {
  batch: Batch;
  /** The finding, the image or the known error that it was about. */
  undone: string;
  isPlanted: boolean;
}

/** The batch without its last answer; null if it has none. */
export function withoutLast(batch: Batch): Undone | null {
  const { answers, audits, planted } = batch;
  const [answer, audit, known] = [answers.at(-1), audits.at(-1), planted.at(-1)];
  const last = (answer ?? audit)?.answeredAt ?? '';
  if (known !== undefined && known.answeredAt >= last)
    return { batch: { ...batch, planted: planted.slice(0, -1) }, undone: known.plantedId, isPlanted: true };
  if (answer !== undefined)
    return { batch: { ...batch, answers: answers.slice(0, -1) }, undone: answer.findingId, isPlanted: false };
  if (audit !== undefined)
    return { batch: { ...batch, audits: audits.slice(0, -1) }, undone: audit.imageId, isPlanted: false };
  return null;
}

/** True for a batch to hand in now: it is full, or its reviewer went away. Known errors hand nothing in. */
export function isDue({ state, answers, audits }: Batch, now: Date): boolean {
  const last = answers.at(-1) ?? audits.at(-1);
  if (state !== 'open' || last === undefined) return false;
  const isFull = answers.length + audits.length >= BATCH_ANSWERS;
  return isFull || now.getTime() - Date.parse(last.answeredAt) >= BATCH_IDLE_MS;
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
