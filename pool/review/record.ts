import { type AuditAnswer, knownAuditAnswer, latestAuditAnswers } from '../../domain/review/auditAnswers.js';
import { latestVerdicts, type Verdict } from '../../domain/review/review.js';
import type { ReviewImport } from '../../domain/review/reviewImport.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { appendReviews, readReviews } from '../../storage/reviews.js';
import { earlierReviews } from './earlier.js';

/** What an import of reviews changed in the pool. */
export interface Recorded {
  /** Its id, by which it can be undone; null where it brought nothing new. */
  review: string | null;
  /** The pool's version afterwards; unchanged where no label is new. */
  version: number;
  /** Labels with a new revision. */
  revised: number;
  /** Verdicts that were not known yet. */
  verdicts: number;
  /** Answers to images of the audit sample that were not known yet. */
  audits: number;
}

/**
 * Write down an import whose labels are in the pool by now, so that no verdict names a label that never came. What the
 * pool has heard already is not said again: importing the same file twice changes nothing, also where newer answers
 * came between.
 */
export async function recordReview(
  store: ObjectStore,
  pool: string,
  id: string,
  about: ReviewImport,
  { version, revised }: Pick<Recorded, 'version' | 'revised'>,
  { verdicts, audits = [] }: { verdicts: readonly Verdict[]; audits?: readonly AuditAnswer[] },
): Promise<Recorded> {
  const reviews = await readReviews(store, pool);
  const earlier = earlierReviews(reviews, about);
  const known = latestVerdicts(reviews.verdicts);
  const fresh = [...latestVerdicts(verdicts).values()].filter((verdict) => {
    const before = known.get(verdict.findingId);
    if (before === undefined) return true;
    if (!isSame(before, verdict)) return !earlier.said(verdict);
    // Which label came of it may differ, since others may have changed it meanwhile.
    return before.correctedSha256 === null && verdict.correctedSha256 !== null;
  });
  const audited = latestAuditAnswers(reviews.audits);
  const freshAudits = [...latestAuditAnswers(audits).values()].filter(
    (answer) => !knownAuditAnswer(audited, answer) && !earlier.said(answer),
  );
  const answers = [...fresh, ...freshAudits];
  // Others may have asked the same meanwhile.
  const asked =
    revised > 0 ? about.asked : about.asked.filter((one) => !earlier.thatAsked(one.imageId, one.labelSha256));
  const isNew = revised > 0 || asked.length > 0 || answers.length > 0;
  if (isNew) await appendReviews(store, pool, id, { ...about, asked }, answers);
  return { review: isNew ? id : null, version, revised, verdicts: fresh.length, audits: freshAudits.length };
}

const isSame = (a: Verdict, b: Verdict): boolean =>
  a.verdict === b.verdict && a.reviewer === b.reviewer && a.comment === b.comment;
