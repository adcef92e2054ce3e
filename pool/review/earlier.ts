import type { AuditAnswer } from '../../domain/auditAnswers.js';
import type { Verdict } from '../../domain/review.js';
import type { ReviewImport } from '../../domain/reviewImport.js';
import type { IndexRow } from '../../domain/tables.js';
import type { Reviews } from '../../storage/reviews.js';

/** What answers are read from: labels of one export, or one table. */
export type Source = Pick<ReviewImport, 'exportId' | 'tableSha256'>;

/** What imports of the same source brought earlier, as far as they stand: given again, it is no newer than it was. */
export interface EarlierReviews {
  /** The last import of it that asked the same of an image's label. */
  thatAsked(imageId: string, labelSha256: string): string | undefined;
  /** True where the same answer came from it. */
  said(answer: Verdict | AuditAnswer): boolean;
  /** True where another review changed the label after that one: its answer is the newer one. */
  superseded(review: string, rows: readonly IndexRow[]): boolean;
  /** True where an image has its label from a review that stands. */
  madeLast(rows: readonly IndexRow[]): boolean;
}

export function earlierReviews({ imports }: Reviews, { exportId, tableSha256 }: Source): EarlierReviews {
  const withdrawn = new Set(imports.filter(({ withdrawal }) => withdrawal !== null).map(({ id }) => id));
  const asked = new Map<string, string>();
  const said = new Set<string>();
  for (const { id, about, verdicts, audits } of imports) {
    if (about === null || withdrawn.has(id)) continue;
    if (about.exportId !== exportId || about.tableSha256 !== tableSha256) continue;
    for (const { imageId, labelSha256 } of about.asked) asked.set(`${imageId} ${labelSha256}`, id);
    for (const answer of [...verdicts, ...audits]) said.add(contentOf(answer));
  }
  const stands = ({ change, changeId }: IndexRow): boolean =>
    change === 'review' && (changeId === null || !withdrawn.has(changeId));
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
    madeLast(rows) {
      const latest = rows.at(-1);
      const maker = rows.findLast(
        ({ labelSha256 }, at) => labelSha256 === latest?.labelSha256 && rows[at - 1]?.labelSha256 !== labelSha256,
      );
      return maker !== undefined && stands(maker);
    },
  };
}

/** What an answer says, whenever it was given and whatever label came of it. */
function contentOf(answer: Verdict | AuditAnswer): string {
  if ('type' in answer) {
    const { scan, imageId, labelSha256, wrong, found, reviewer } = answer;
    return JSON.stringify([scan, imageId, labelSha256, wrong, found, reviewer]);
  }
  const { findingId, verdict, reviewer, comment } = answer;
  return JSON.stringify([findingId, verdict, reviewer, comment]);
}
