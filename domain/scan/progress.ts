import { z } from 'zod';
import { counted } from '../base/counted.js';

const part = z.object({ done: z.number().int(), total: z.number().int() });

/** The stages of a scan, in their order. */
export const SCAN_STAGES = ['preparing', 'training folds', 'trying models', 'judging', 'summing up'] as const;

/** The progress of a scan: the answer of the workflow `mislabelScan` to the query `progress`. */
export const scanProgressSchema = z.object({
  stage: z.enum(SCAN_STAGES),
  folds: part,
  shards: part,
});
export type ScanProgress = z.infer<typeof scanProgressSchema>;

/** `judging, 2 of 2 folds trained, 3 of 10 shards judged`. */
export function scanProgressText({ stage, folds, shards }: ScanProgress): string {
  return [
    stage,
    ...(folds.total > 0 ? [`${folds.done} of ${counted(folds.total, 'fold', 'folds')} trained`] : []),
    ...(shards.total > 0 ? [`${shards.done} of ${counted(shards.total, 'shard', 'shards')} judged`] : []),
  ].join(', ');
}
