import { isFaultOfImage } from '../../../domain/images/leftOut.js';
import { isMadeBy } from '../../../domain/review/labelHistory.js';
import { fateOf } from '../../../domain/review/propagate/fate.js';
import type { FindingRow } from '../../../domain/tables.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { paintAnswers } from '../paint.js';
import { reviseLabels } from '../revisions.js';
import type { Correction } from './groups.js';
import { type ScanProposals, tableReviews } from './proposals.js';

/** A correction that was not made, and why. */
export interface NotApplied {
  findingId: string;
  fileName: string;
  reason: string;
}

const REASONS = {
  removed: 'the pool no longer lists its image',
  test: 'its image is in the test set',
  redrawn: 'its label was redrawn since the scan',
  answered: 'a reviewer answered it meanwhile',
} as const;

/** Put the corrections into the labels, all those of an image together, unless the label was changed meanwhile. */
export async function writeCorrections(
  store: ObjectStore,
  { pool, reviews, answers }: ScanProposals,
  review: string,
  corrections: readonly Correction[],
  now: Date,
): Promise<{ version: number; revised: number; notApplied: NotApplied[] }> {
  const tables = tableReviews(reviews);
  const isTable = (id: string): boolean => id === review || tables(id);
  const byImage = new Map<string, FindingRow[]>();
  for (const { finding } of corrections)
    if (!byImage.get(finding.imageId)?.push(finding)) byImage.set(finding.imageId, [finding]);
  const notApplied = new Map<string, NotApplied>();
  const leave = ({ findingId, fileName }: FindingRow, reason: string): void => {
    notApplied.set(findingId, { findingId, fileName, reason });
  };
  const jobs = [...byImage].map(([imageId, findings]) => ({ imageId, findings }));
  const maker = { change: 'review' as const, changeId: review, now };
  const changes = await reviseLabels(store, pool, jobs, maker, async ({ imageId, findings }, rows, storeLabel) => {
    const row = rows.at(-1);
    if (row === undefined || rows.some((one) => isMadeBy(one, review))) return null;
    const open = findings.filter((finding) => {
      const fate = fateOf(finding, rows, isTable);
      const reason = answers.has(finding.findingId) ? 'answered' : fate === 'open' ? null : fate;
      if (reason !== null) leave(finding, REASONS[reason]);
      return reason === null;
    });
    if (open.length === 0) return null;
    try {
      const label = await storeLabel(
        await paintAnswers(
          store,
          row,
          open.map((finding) => ({ finding, redrawn: null })),
        ),
      );
      return label.labelSha256 === row.labelSha256 ? null : { imageId, on: row.labelSha256, label };
    } catch (error) {
      if (!isFaultOfImage(error)) throw error;
      for (const finding of open) leave(finding, error.message);
      return null;
    }
  });
  return { ...changes, notApplied: [...notApplied.values()] };
}
