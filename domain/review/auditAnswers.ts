import { z } from 'zod';
import { sha256Schema } from '../base/ids.js';
import { wilsonInterval } from '../base/wilson.js';
import { latestAnswers } from './latestAnswers.js';
import { answeredScanSchema, reviewerSchema } from './reviewImport.js';

/**
 * A reviewer's answer about an image of a scan's audit sample. The sample is drawn regardless of the scan's opinion, so
 * only these answers show the errors that a scan overlooks. A line of `pools/<pool>/reviews/<ulid>.jsonl`.
 */
export const auditAnswerSchema = z.object({
  type: z.literal('audit'),
  scan: answeredScanSchema,
  imageId: sha256Schema,
  /** The reviewed label. */
  labelSha256: sha256Schema,
  /** The chance, above 0 and up to 1, with which the image was drawn. */
  chance: z.number().gt(0).max(1),
  /** The label is wrong by the rule of `isWrongLabel`. */
  wrong: z.boolean(),
  /** A reported finding was corrected. */
  found: z.boolean(),
  /** The scan set the image, or regions of it, aside. */
  setAside: z.boolean(),
  /** The reviewer's reason; absent if none was given. */
  comment: z.string().max(2_000).optional(),
  reviewer: reviewerSchema.nullable(),
  reviewedAt: z.iso.datetime(),
});
export type AuditAnswer = z.infer<typeof auditAnswerSchema>;

/** A share, 0..1, with its 95 % interval. */
export interface Estimate {
  value: number;
  low: number;
  high: number;
}

export interface AuditEstimate {
  answered: number;
  wrong: number;
  /** Share of wrong labels among all images. */
  wrongShare: Estimate;
  /** Share of the wrong images in which the scan reported an error; null while none was found wrong. */
  found: Estimate | null;
  /** Share of the wrong images that it set aside. */
  setAside: Estimate | null;
}

const auditKey = ({ scan, imageId, labelSha256 }: AuditAnswer): string => `${scan} ${imageId} ${labelSha256}`;

/** The last answer to each image of each scan. */
export const latestAuditAnswers = (answers: readonly AuditAnswer[]): Map<string, AuditAnswer> =>
  latestAnswers(answers, auditKey);

/** The same answer, given again. */
export function knownAuditAnswer(known: ReadonlyMap<string, AuditAnswer>, answer: AuditAnswer): boolean {
  const before = known.get(auditKey(answer));
  return (
    before !== undefined &&
    before.wrong === answer.wrong &&
    before.found === answer.found &&
    before.reviewer === answer.reviewer
  );
}

/**
 * Estimates from the answers for all images that the scans judged, including those that nobody reviewed; null without
 * answers.
 */
export function estimateRecall(answers: readonly AuditAnswer[]): AuditEstimate | null {
  const latest = [...latestAuditAnswers(answers).values()];
  if (latest.length === 0) return null;
  const wrong = latest.filter((answer) => answer.wrong);
  return {
    answered: latest.length,
    wrong: wrong.length,
    wrongShare: shareOf(latest, (answer) => answer.wrong),
    found: wrong.length === 0 ? null : shareOf(wrong, (answer) => answer.found),
    setAside: wrong.length === 0 ? null : shareOf(wrong, (answer) => answer.setAside),
  };
}

/**
 * Estimates a share among all images from the drawn ones. Each drawn image stands for 1 / chance images (Horvitz and
 * Thompson 1952; divided by the sum of the weights, Hájek 1971). Wilson's interval (1927) over the effective number of
 * answers (Kish 1965).
 */
function shareOf(answers: readonly AuditAnswer[], holds: (answer: AuditAnswer) => boolean): Estimate {
  let sum = 0;
  let squares = 0;
  let held = 0;
  for (const answer of answers) {
    const weight = 1 / answer.chance;
    sum += weight;
    squares += weight * weight;
    if (holds(answer)) held += weight;
  }
  const value = held / sum;
  const n = (sum * sum) / squares;
  return { value, ...wilsonInterval(value, n) };
}
