import { PartloopError } from '../../domain/base/errors.js';
import { isFaultOfImage } from '../../domain/images/leftOut.js';
import { suggestionOf } from '../../domain/review/correction.js';
import { latestVerdicts, type Verdict } from '../../domain/review/review.js';
import type { FindingRow, IndexRow } from '../../domain/tables.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import type { Pool } from '../../storage/pool/pool.js';
import type { Reviews } from '../../storage/reviews.js';
import { earlierReviews, type Source } from './earlier.js';
import { type Drawn, paintAnswers } from './paint.js';
import { type Maker, type Revision, reviseLabels, type StoreLabel } from './revisions.js';

/** An answer that changes a label: a proposal is accepted, or the reviewer drew the right label. */
export interface Accepted {
  /** Its place among the answers, from 1. */
  row: number;
  finding: FindingRow;
  verdict: Verdict;
  /** The label before and after drawing; null for an accepted proposal. */
  redrawn: Drawn | null;
}

interface Outcome {
  /** Finding id -> digest of the label that it is corrected in. */
  corrected: Map<string, string>;
  /** Rows of the table with an unchanged label. */
  notApplied: { row: number; reason: string }[];
}

/**
 * Apply accepted proposals and drawn labels to labels, all those of an image together. A proposal that was applied
 * before is not applied again, since people may have corrected the label further. The exception is a label that is
 * again the one of the finding, and not because of a review.
 */
export async function applyAccepted(
  store: ObjectStore,
  pool: Pool,
  accepted: readonly Accepted[],
  reviews: Reviews,
  source: Source,
  maker: Maker,
): Promise<Outcome & { version: number; revised: number }> {
  const earlier = earlierReviews(reviews, source);
  const newest = latestVerdicts(reviews.verdicts);
  const corrections = new Map<string, string>();
  for (const { findingId, correctedSha256 } of reviews.verdicts)
    if (correctedSha256 !== null) corrections.set(findingId, correctedSha256);
  const proposed: Outcome['notApplied'] = [];
  const byImage = new Map<string, Accepted[]>();
  for (const one of accepted) {
    const { row, finding, verdict, redrawn } = one;
    const { findingId, imageId, kind, fileName } = finding;
    // The same table gave this answer before, and a newer answer differs.
    if (earlier.said(verdict) && newest.get(findingId)?.verdict !== verdict.verdict) continue;
    if (redrawn !== null || corrections.has(findingId) || suggestionOf(finding) !== null) {
      if (!byImage.get(imageId)?.push(one)) byImage.set(imageId, [one]);
    } else
      proposed.push({
        row,
        reason: `a ${kind} proposes no mask; correct the label of ${fileName} in a tool`,
      });
  }
  const outcomes = new Map<string, Outcome>();
  const jobs = [...byImage].map(([imageId, findings]) => ({ imageId, findings }));
  const { version, revised } = await reviseLabels(store, pool, jobs, maker, apply);
  const done = [...outcomes.values()];
  return {
    ...{ version, revised },
    corrected: new Map(done.flatMap(({ corrected }) => [...corrected])),
    notApplied: [...proposed, ...done.flatMap(({ notApplied }) => notApplied)].sort((a, b) => a.row - b.row),
  };

  async function apply(
    { imageId, findings }: (typeof jobs)[number],
    rows: readonly IndexRow[],
    storeLabel: StoreLabel,
  ): Promise<Revision | null> {
    const row = rows.at(-1);
    const outcome: Outcome = { corrected: new Map(), notApplied: [] };
    outcomes.set(imageId, outcome);
    const open = findings.filter(({ finding, redrawn }) => {
      if (redrawn !== null) return true;
      const before = corrections.get(finding.findingId);
      if (before === undefined || (row?.labelSha256 === finding.labelSha256 && !earlier.setLabel(rows))) return true;
      outcome.corrected.set(finding.findingId, before);
      return false;
    });
    if (open.length === 0) return null;
    try {
      if (row === undefined || row.removedAt !== null)
        throw new PartloopError('data-invalid', `pool ${pool.name} no longer lists its image`);
      const label = await storeLabel(await paintAnswers(store, row, open));
      for (const { finding } of open) outcome.corrected.set(finding.findingId, label.labelSha256);
      return label.labelSha256 === row.labelSha256 ? null : { imageId, on: row.labelSha256, label };
    } catch (error) {
      if (!isFaultOfImage(error)) throw error;
      outcome.notApplied.push(...open.map((one) => ({ row: one.row, reason: error.message })));
      return null;
    }
  }
}
