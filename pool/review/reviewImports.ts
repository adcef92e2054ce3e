import { ulidTime } from '../../domain/base/ids.js';
import type { PoolHistory } from '../../storage/pool/poolHistory.js';
import type { KnownImport, Reviews } from '../../storage/reviews.js';
import { repeats, revisedLabels } from './repeats.js';

/** An import of reviews, for people. */
export interface ReviewImportSummary {
  id: string;
  at: string;
  reviewer: string | null;
  scan: string | null;
  exportId: string | null;
  /** Number of labels that it revised. */
  labels: number;
  verdicts: number;
  audits: number;
  /** It stands but brought nothing of its own: labels and answers existed, as with equal imports at the same moment. */
  isRepeat: boolean;
  /** Time of its undo; null while it stands. */
  undoneAt: string | null;
}

/** All imports of reviews of a pool, the newest first; also one that died before its answers were recorded. */
export function reviewImports(reviews: Reviews, history: PoolHistory): ReviewImportSummary[] {
  const revised = revisedLabels(reviews, history);
  const known = new Map(reviews.imports.map((one) => [one.id, one]));
  const repeated = repeats(reviews, history);
  return [...new Set([...known.keys(), ...revised.keys()])]
    .sort()
    .reverse()
    .map((id) => ({ ...summary(id, known.get(id), revised.get(id) ?? 0), isRepeat: repeated.has(id) }));
}

function summary(id: string, known: KnownImport | undefined, labels: number): Omit<ReviewImportSummary, 'isRepeat'> {
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
