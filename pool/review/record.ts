import { type AuditAnswer, knownAuditAnswer, latestAuditAnswers } from '../../domain/review/auditAnswers.js';
import { latestVerdicts, type Verdict } from '../../domain/review/review.js';
import type { ReviewImport } from '../../domain/review/reviewImport.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { appendReviews, readReviews } from '../../storage/reviews.js';
import { earlierReviews } from './earlier.js';

/** The changes of an import of reviews to the pool. */
export interface Recorded {
  /** Its id, by which it can be undone; null if it brought nothing new. */
  review: string | null;
  /** The pool's version afterwards; unchanged if no label is new. */
  version: number;
  /** Labels with a new revision. */
  revised: number;
  /** Verdicts that were not known yet. */
  verdicts: number;
  /** Answers to images of the audit sample that were not known yet. */
  audits: number;
}

/**
 * Record an import whose labels are already in the pool, so that no verdict names a missing label. Known answers are
 * not recorded again: a second import of the same file changes nothing, even if newer answers came in between.
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
    // The resulting label may differ, since others may have changed it meanwhile.
    return before.correctedSha256 === null && verdict.correctedSha256 !== null;
  });
  const audited = latestAuditAnswers(reviews.audits);
  const freshAudits = [...latestAuditAnswers(audits).values()].filter(
    (answer) => !knownAuditAnswer(audited, answer) && !earlier.said(answer),
  );
  const answers = [...fresh, ...freshAudits];
  // Others may have asked for the same meanwhile.
  const asked =
    revised > 0 ? about.asked : about.asked.filter((one) => !earlier.thatAsked(one.imageId, one.labelSha256));
  const isNew = revised > 0 || asked.length > 0 || answers.length > 0;
  if (isNew) await appendReviews(store, pool, id, { ...about, asked }, answers);
  return { review: isNew ? id : null, version, revised, verdicts: fresh.length, audits: freshAudits.length };
}

const isSame = (a: Verdict, b: Verdict): boolean =>
  a.verdict === b.verdict && a.reviewer === b.reviewer && a.comment === b.comment;
