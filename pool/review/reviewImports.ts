import type { IndexRow } from '../../domain/tables.js';
import type { PoolHistory } from '../../storage/poolHistory.js';
import type { KnownImport, Reviews } from '../../storage/reviews.js';
import { ulidTime } from '../../storage/ulid.js';

/** An import of reviews, for people. */
export interface ReviewImportSummary {
  id: string;
  at: string;
  reviewer: string | null;
  scan: string | null;
  exportId: string | null;
  /** Labels that it revised. */
  labels: number;
  verdicts: number;
  audits: number;
  /** When it was undone; null while it stands. */
  undoneAt: string | null;
}

/** All imports of reviews of a pool, the newest first; also one that died before its answers were written down. */
export function reviewImports({ imports }: Reviews, history: PoolHistory): ReviewImportSummary[] {
  const revised = new Map<string, number>();
  const times = new Map(imports.filter(({ about }) => about === null).map(({ id }) => [ulidTime(id), id]));
  for (const row of history.rows()) {
    const id = row.change === 'review' ? row.changeId : row.change === null ? times.get(row.ingestedAt) : undefined;
    if (id != null && row.labelRevision > 0) revised.set(id, (revised.get(id) ?? 0) + 1);
  }
  const known = new Map(imports.map((one) => [one.id, one]));
  return [...new Set([...known.keys(), ...revised.keys()])]
    .sort()
    .reverse()
    .map((id) => summary(id, known.get(id), revised.get(id) ?? 0));
}

function summary(id: string, known: KnownImport | undefined, labels: number): ReviewImportSummary {
  const { about = null, verdicts = [], audits = [], withdrawal = null } = known ?? {};
  return {
    id,
    at: about?.at ?? ulidTime(id),
    reviewer: about?.reviewer ?? verdicts[0]?.reviewer ?? audits[0]?.reviewer ?? null,
    scan: about?.scan ?? audits[0]?.scan ?? null,
    exportId: about?.exportId ?? null,
    ...{ labels, verdicts: verdicts.length, audits: audits.length },
    undoneAt: withdrawal?.at ?? null,
  };
}

/** True where a review import made this row. Rows of before that was written down have the import's time instead. */
export const isMadeBy = ({ change, changeId, ingestedAt, labelRevision }: IndexRow, review: string): boolean =>
  change === null ? labelRevision > 0 && ingestedAt === ulidTime(review) : change === 'review' && changeId === review;
