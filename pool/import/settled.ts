import { z } from 'zod';
import type { ImportReport } from '../../formats/reading/importItem.js';

const names = z.array(z.string());
const split = z.enum(['train', 'val', 'test']);

/** What became of one image of an import, for good: the pool has it, or it was left out. */
export const settledSchema = z.object({
  /** Its place among the entries of the source. */
  index: z.number().int().nonnegative(),
  fileName: z.string(),
  outcome: z.enum(['added', 'replaced', 'updated', 'restored', 'known', 'removed', 'refused']),
  /** Why it was refused, or why its label was not taken. */
  reason: z.string().nullable(),
  /** The first entry with this picture; null for a second one, and for one that could not be read. */
  image: z.object({ imageId: z.string(), labelSha256: z.string() }).nullable(),
  /** Its side, if it was added. */
  split: split.nullable(),
  isDrawn: z.boolean(),
  movedToTest: z.boolean(),
  unlabelled: z.boolean(),
  /** Annotations of it that cover no pixel. */
  notes: names,
  origin: z.object({ files: names, missing: names }).nullable(),
});
export type Settled = z.infer<typeof settledSchema>;

/** One that brought nothing, or whose image the pool has: what is said beside that. */
export const NOTHING_ELSE = {
  ...{ reason: null, image: null, split: null, isDrawn: false, movedToTest: false, unlabelled: false },
  ...{ notes: [], origin: null },
} satisfies Partial<Settled>;

/** Count an image in a report. */
export function countIn(report: ImportReport, settled: Settled): void {
  const { fileName, outcome, reason, origin } = settled;
  if (outcome === 'removed') report.removed.push(fileName);
  else if (outcome === 'refused')
    report.refused.push({ fileName, reason: reason ?? '', ...(origin === null ? {} : { origin }) });
  else {
    report[outcome] += 1;
    if (settled.split !== null) report.split[settled.split] += 1;
    if (settled.isDrawn) report.split.drawn += 1;
    if (reason !== null) report.kept.push({ fileName, reason });
    if (settled.movedToTest) report.movedToTest.push(fileName);
    if (settled.unlabelled) report.unlabelled.push(fileName);
  }
}
