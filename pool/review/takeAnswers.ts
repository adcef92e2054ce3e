import type { Verdict } from '../../domain/review/review.js';
import type { FindingRow } from '../../domain/tables.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import type { Pool } from '../../storage/pool/pool.js';
import { readReviews } from '../../storage/reviews.js';
import { applyAccepted } from './applyAccepted.js';
import type { Source } from './earlier.js';
import type { Drawn } from './paint.js';
import { type Recorded, recordReview } from './record.js';

/** A reviewer's answer to a finding. */
export interface GivenAnswer extends Pick<Verdict, 'verdict' | 'reviewer' | 'comment'> {
  /** Its place among the answers, from 1. */
  row: number;
  finding: FindingRow;
  /** The right label if the reviewer drew it. */
  redrawn: Drawn | null;
  answeredAt: string;
}

/** Answers that come together: one import. */
export interface AnswersTaken {
  /** The import's id; the same answers under the same id are taken once. */
  id: string;
  scan: string | null;
  /** Who handed them in; each answer has its own reviewer. */
  reviewer: string | null;
  source: Source;
  answers: readonly GivenAnswer[];
  now: Date;
}

/**
 * Take answers to findings into a pool. `accept` puts the proposed mask into the label, and a drawn label its changes,
 * as new revisions after the newest one; several of an image are applied together. Nothing is deleted. The same answers
 * taken again change nothing, unless a label that they corrected was reset by something other than a review.
 */
export async function takeAnswers(
  store: ObjectStore,
  pool: Pool,
  { id, scan, reviewer, source, answers, now }: AnswersTaken,
): Promise<{ recorded: Recorded; notApplied: { row: number; reason: string }[] }> {
  const reviews = await readReviews(store, pool.name);
  const said = answers.map((answer) => ({ ...answer, verdict: verdictOf(answer) }));
  const changing = said.filter(({ verdict, redrawn }) => verdict.verdict === 'accept' || redrawn !== null);
  const { corrected, notApplied, ...changes } = await applyAccepted(store, pool, changing, reviews, source, {
    ...{ change: 'review', changeId: id, now },
  });
  const verdicts = said.map(({ verdict }) => ({
    ...verdict,
    correctedSha256: corrected.get(verdict.findingId) ?? null,
  }));
  const about = { type: 'import' as const, at: now.toISOString(), reviewer, scan, ...source, asked: [] };
  return { notApplied, recorded: await recordReview(store, pool.name, id, about, changes, { verdicts }) };
}

function verdictOf({ finding, verdict, reviewer, comment, answeredAt }: GivenAnswer): Verdict {
  const { findingId, imageId, labelSha256, kind, classId, suggestedClassId, x0, y0, x1, y1, pWrong, pModel } = finding;
  return {
    ...{ findingId, imageId, labelSha256, kind, classId, suggestedClassId, x0, y0, x1, y1, pWrong, pModel },
    // Every reported finding is shown.
    propensity: 1,
    ...{ verdict, correctedSha256: null, reviewer, comment, reviewedAt: answeredAt },
  };
}
