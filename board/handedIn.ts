import { createHash } from 'node:crypto';
import { PartloopError } from '../domain/base/errors.js';
import type { Batch } from '../domain/board/batch.js';
import type { Recorded } from '../pool/review/record.js';
import { type GivenAnswer, takeAnswers } from '../pool/review/takeAnswers.js';
import { readDrawn } from './drawn.js';
import type { ScanDesk } from './scanDesk.js';

/** A label that could not be changed as an answer asked. */
export interface NotApplied {
  fileName: string;
  reason: string;
}

/** What became of a batch. */
export interface HandedIn {
  recorded: Pick<Recorded, 'review' | 'revised'>;
  notApplied: NotApplied[];
}

/** The export that drawn labels of a batch come back from, as it were: no other has that name. */
export const exportOf = ({ id }: Batch): string => `board-${id}`;

/** The review import that a batch is handed in as. */
export function reviewOf({ id, review }: Batch): string {
  if (review !== null) return review;
  throw new PartloopError('internal', `batch ${id} is handed in without an import`);
}

/** Hand in answers to findings. Second answers are handed in nowhere. */
export async function handInFindings(desk: ScanDesk, batch: Batch, now: Date): Promise<HandedIn> {
  const { store, pool, scan } = desk;
  const { reviewer } = batch;
  const answers = batch.answers.filter(({ isSecond }) => !isSecond);
  const rows = await desk.wholeFindings(answers.map(({ findingId }) => findingId));
  const found = new Map(rows.map((row) => [row.findingId, row]));
  const given: GivenAnswer[] = [];
  for (const [index, { findingId, verdict, comment, redrawn, answeredAt }] of answers.entries()) {
    const finding = found.get(findingId);
    if (finding === undefined) continue;
    const drawn = redrawn === null ? null : await readDrawn(desk, redrawn);
    given.push({ row: index + 1, finding, verdict, reviewer, comment, redrawn: drawn, answeredAt });
  }
  const isDrawn = answers.some(({ redrawn }) => redrawn !== null);
  const { recorded, notApplied } = await takeAnswers(store, pool, {
    ...{ id: reviewOf(batch), scan: scan.id, reviewer, now, answers: given },
    // Whoever draws may change a label outside the masks of findings: it is no table of answers.
    source: isDrawn
      ? { exportId: exportOf(batch), tableSha256: null }
      : { exportId: null, tableSha256: createHash('sha256').update(JSON.stringify(answers)).digest('hex') },
  });
  return {
    recorded,
    notApplied: notApplied.map(({ row, reason }) => ({
      fileName: found.get(answers[row - 1]?.findingId ?? '')?.fileName ?? '',
      reason,
    })),
  };
}
