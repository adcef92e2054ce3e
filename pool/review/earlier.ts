import type { AuditAnswer } from '../../domain/review/auditAnswers.js';
import { setterOf } from '../../domain/review/labelHistory.js';
import type { Verdict } from '../../domain/review/review.js';
import type { ReviewImport } from '../../domain/review/reviewImport.js';
import type { IndexRow } from '../../domain/tables.js';
import { type Reviews, withdrawnIn } from '../../storage/reviews.js';

/** The source of answers: labels of one export, or one table. */
export type Source = Pick<ReviewImport, 'exportId' | 'tableSha256'>;

/** Answers of earlier imports of the same source that still stand: a repetition is no newer than the original. */
export interface EarlierReviews {
  /** Its last import that asked for the same label of an image. */
  thatAsked(imageId: string, labelSha256: string): string | undefined;
  /** True if it already gave the same answer. */
  said(answer: Verdict | AuditAnswer): boolean;
  /** True if another review changed the label after that import: that review's answer is newer. */
  superseded(review: string, rows: readonly IndexRow[]): boolean;
  /** True if an image has its label from a review that stands. */
  setLabel(rows: readonly IndexRow[]): boolean;
}

export function earlierReviews(reviews: Reviews, { exportId, tableSha256 }: Source): EarlierReviews {
  const { imports } = reviews;
  const isWithdrawn = withdrawnIn(reviews);
  const asked = new Map<string, string>();
  const said = new Set<string>();
  for (const { id, about, verdicts, audits, withdrawal } of imports) {
    if (about === null || withdrawal !== null) continue;
    if (about.exportId !== exportId || about.tableSha256 !== tableSha256) continue;
    for (const { imageId, labelSha256 } of about.asked) asked.set(`${imageId} ${labelSha256}`, id);
    for (const answer of [...verdicts, ...audits]) said.add(contentOf(answer));
  }
  const stands = (row: IndexRow): boolean => row.change === 'review' && !isWithdrawn(row);
  return {
    thatAsked: (imageId, labelSha256) => asked.get(`${imageId} ${labelSha256}`),
    said: (answer) => said.has(contentOf(answer)),
    superseded(review, rows) {
      const own = rows.find(({ changeId }) => changeId === review);
      // An import that found its label there already has no row; ids sort by time.
      return rows.some(
        (row) =>
          stands(row) && (own === undefined ? (row.changeId ?? '') > review : row.labelRevision > own.labelRevision),
      );
    },
    setLabel(rows) {
      if (rows.length === 0) return false;
      const setter = setterOf(rows, rows.length - 1, isWithdrawn);
      return setter.row.change === 'review' && !setter.isWithdrawn;
    },
  };
}

/** The content of an answer, regardless of its time and of the resulting label. */
export function contentOf(answer: Verdict | AuditAnswer): string {
  if ('type' in answer) {
    const { scan, imageId, labelSha256, wrong, found, reviewer } = answer;
    return JSON.stringify([scan, imageId, labelSha256, wrong, found, reviewer]);
  }
  const { findingId, verdict, reviewer, comment } = answer;
  return JSON.stringify([findingId, verdict, reviewer, comment]);
}
