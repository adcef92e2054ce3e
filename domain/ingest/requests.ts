import { z } from 'zod';
import { nameSchema } from '../base/ids.js';

/** The input of `startIngest`, which people, Schedules and webhooks start. */
export const startIngestSchema = z.strictObject({
  pool: nameSchema.optional().describe('The pool whose inbox is looked at; every pool with an inbox if omitted'),
});
export type StartIngestRequest = z.infer<typeof startIngestSchema>;

/** What `startIngest` answers. */
export interface StartedIngests {
  ingests: {
    pool: string;
    workflowId: string;
    /** Its page in the Temporal UI, relative to its address. */
    path: string;
  }[];
}

/** What becomes of one drop, as it passes through Temporal: the receipt in the store has the rest. */
export const settledDropSchema = z.object({
  drop: z.string(),
  arrival: z.string(),
  outcome: z.enum(['taken', 'repeated', 'refused']),
  reason: z.string().nullable(),
  added: z.number().int(),
  changed: z.number().int(),
  known: z.number().int(),
  refused: z.number().int(),
  removed: z.number().int(),
});
export type SettledDrop = z.infer<typeof settledDropSchema>;

const count = z.number().int().nonnegative();

/** Sums over the drops of one ingest. */
export const ingestTotalsSchema = z.object({
  ...{ drops: count, repeated: count, refusedDrops: count },
  ...{ added: count, changed: count, known: count, refused: count, removed: count },
});
export type IngestTotals = z.infer<typeof ingestTotalsSchema>;
export const NO_DROPS: IngestTotals = {
  ...{ drops: 0, repeated: 0, refusedDrops: 0, added: 0, changed: 0, known: 0, refused: 0, removed: 0 },
};

/** A drop that waits for files, until when (ISO time). */
const waitingDropSchema = z.object({ drop: z.string(), until: z.string(), missing: count });

/** How many drops of a kind a run keeps to show. */
const SHOWN = 20;
const MAX_ERROR = 500;

/** What an ingest has done so far; carried through continue-as-new. */
export const ingestProgressSchema = z.object({
  totals: ingestTotalsSchema.default(NO_DROPS),
  /** The last ones, the newest first. */
  last: z.array(settledDropSchema).default([]),
  waiting: z.array(waitingDropSchema).default([]),
  /** Drops that this run could not settle, through no fault of theirs. */
  failed: z.array(z.object({ drop: z.string(), error: z.string() })).default([]),
  /** The drop under way. */
  current: z.string().nullable().default(null),
});
export type IngestProgress = z.infer<typeof ingestProgressSchema>;

/** A drop waits; of many, those whose wait ends first are kept. */
export const withWaiting = (progress: IngestProgress, drop: IngestProgress['waiting'][number]): IngestProgress => ({
  ...progress,
  waiting: [...progress.waiting, drop].sort((a, b) => Date.parse(a.until) - Date.parse(b.until)).slice(0, SHOWN),
});

/** A drop could not be settled; of many the first are kept. */
export const withFailed = (
  progress: IngestProgress,
  { drop, error }: { drop: string; error: string },
): IngestProgress => ({
  ...progress,
  failed: [...progress.failed, { drop, error: error.slice(0, MAX_ERROR) }].slice(0, SHOWN),
});

/** Count a drop. */
export function withSettled(progress: IngestProgress, drop: SettledDrop): IngestProgress {
  const { totals, last } = progress;
  return {
    ...progress,
    last: [drop, ...last].slice(0, SHOWN),
    totals: {
      drops: totals.drops + 1,
      repeated: totals.repeated + (drop.outcome === 'repeated' ? 1 : 0),
      refusedDrops: totals.refusedDrops + (drop.outcome === 'refused' ? 1 : 0),
      added: totals.added + drop.added,
      changed: totals.changed + drop.changed,
      known: totals.known + drop.known,
      refused: totals.refused + drop.refused,
      removed: totals.removed + drop.removed,
    },
  };
}
