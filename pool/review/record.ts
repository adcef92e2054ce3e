import { type AuditAnswer, knownAuditAnswer, latestAuditAnswers } from '../../domain/auditAnswers.js';
import { latestVerdicts, type Verdict } from '../../domain/review.js';
import type { IndexRow } from '../../domain/tables.js';
import type { ObjectStore } from '../../storage/objectStore.js';
import type { Pool } from '../../storage/pool.js';
import { appendReviews, readReviews } from '../../storage/reviews.js';

/** What an import of reviews changed in the pool. */
export interface Recorded {
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
 * Add label revisions, then verdicts, so that no verdict names a label that never came. What the pool has heard already is not
 * said again: importing the same file twice changes nothing.
 */
export async function recordReview(
  store: ObjectStore,
  pool: Pool,
  base: number,
  rows: readonly IndexRow[],
  { verdicts, audits = [] }: { verdicts: readonly Verdict[]; audits?: readonly AuditAnswer[] },
  now: Date,
): Promise<Recorded> {
  const sorted = [...rows].sort((a, b) => (a.imageId < b.imageId ? -1 : 1));
  const { version, rows: revised } =
    sorted.length === 0
      ? { version: base, rows: sorted }
      : await pool.append((history) => sorted.flatMap((row) => onTop(row, history.latest(row.imageId))));
  const said = await readReviews(store, pool.name);
  const known = latestVerdicts(said.verdicts);
  const fresh = [...latestVerdicts(verdicts).values()].filter((verdict) => {
    const before = known.get(verdict.findingId);
    return before === undefined || !isSame(before, verdict);
  });
  const audited = latestAuditAnswers(said.audits);
  const freshAudits = [...latestAuditAnswers(audits).values()].filter((answer) => !knownAuditAnswer(audited, answer));
  const answers = [...fresh, ...freshAudits];
  if (answers.length > 0) await appendReviews(store, pool.name, answers, now);
  return { version, revised: revised.length, verdicts: fresh.length, audits: freshAudits.length };
}

/** A revised row on top of what the pool says by now; nothing where that is the same label. */
function onTop(row: IndexRow, there: IndexRow | undefined): IndexRow[] {
  if (there === undefined) return [row];
  if (there.labelSha256 === row.labelSha256) return [];
  const { labelUri, labelSha256, classes, ingestedAt, change, changeId } = row;
  const labelRevision = there.labelRevision + 1;
  return [{ ...there, labelUri, labelSha256, classes, ingestedAt, change, changeId, labelRevision }];
}

const isSame = (a: Verdict, b: Verdict): boolean =>
  a.verdict === b.verdict &&
  a.reviewer === b.reviewer &&
  a.comment === b.comment &&
  (b.correctedSha256 === null || a.correctedSha256 === b.correctedSha256);
