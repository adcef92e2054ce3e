import { z } from 'zod';
import { oncePer } from '../base/oncePer.js';
import { type Amount, amountSchema, KINDS, totalOf } from './kinds.js';

/** Limits of the ages below which objects stay. */
export const AGES = {
  olderThanHours: { least: 0, most: 8_760, usual: 24 },
  abandonedAfterDays: { least: 1, most: 365, usual: 7 },
} as const;

const age = ({ least, most, usual }: (typeof AGES)[keyof typeof AGES]) =>
  z.number().int().min(least).max(most).default(usual);

/** The input of `cleanUp`, which people and Schedules start. */
export const cleanUpSchema = z.strictObject({
  delete: z.boolean().default(false).describe('Delete what is found; if false or omitted, it is only counted'),
  shards: z
    .boolean()
    .default(false)
    .describe(
      'Take what judges said of each image of finished scans too; a reset in the Temporal UI then judges again',
    ),
  copies: z
    .boolean()
    .default(false)
    .describe('Take reduced pictures of a size that no loop trains on too, while nothing runs; they can be made again'),
  olderThanHours: age(AGES.olderThanHours).describe('Leave what was written within so many hours'),
  abandonedAfterDays: age(AGES.abandonedAfterDays).describe(
    'Leave unfinished steps, uploads, evaluations and copies that are younger than so many days',
  ),
});
export type CleanUpRequest = z.infer<typeof cleanUpSchema>;

const HOUR_MS = 3_600_000;

/**
 * From when on something counts as old, as ISO times.
 *
 * @param now in milliseconds since 1970
 */
export function cutoffTimes(
  { olderThanHours, abandonedAfterDays }: Pick<CleanUpRequest, keyof typeof AGES>,
  now: number,
): { written: string; abandoned: string } {
  const before = (hours: number): string => new Date(now - hours * HOUR_MS).toISOString();
  return { written: before(olderThanHours), abandoned: before(Math.max(olderThanHours, 24 * abandonedAfterDays)) };
}

/** Of each list so many entries are kept to show; the log has the rest. */
const SHOWN = 20;
const count = z.number().int().nonnegative();

/** What `cleanUp` answers. */
export const cleanUpResultSchema = z.object({
  /** Whether it was deleted, or only counted. */
  deleted: z.boolean(),
  objects: count,
  bytes: z.number().nonnegative(),
  /** Those kinds of which there was something. */
  kinds: z.array(amountSchema),
  /** Ids of workflows that ran: what is theirs was passed over. The first ones. */
  running: z.array(z.string()),
  /** Records that cannot be read: what depends on them was passed over. */
  unreadable: z.array(z.object({ key: z.string(), why: z.string() })),
  /** Objects that are still there although they were to be deleted: the first ones, and how many there are. */
  failed: z.array(z.object({ key: z.string(), reason: z.string() })),
  failedCount: count,
  /** Why uploads that nobody ended could not be listed; null where they were. */
  noUploads: z.string().nullable(),
});
export type CleanUpResult = z.infer<typeof cleanUpResultSchema>;

/** The answer before anything was looked at. */
export const nothingYet = ({ delete: deleted }: CleanUpRequest): CleanUpResult => ({
  ...{ deleted, objects: 0, bytes: 0, kinds: [], running: [], unreadable: [] },
  ...{ failed: [], failedCount: 0, noUploads: null },
});

/** A page of a sweep as it passes through Temporal: its lists are as short as those of the answer. */
export type CleanUpPage = Omit<CleanUpResult, 'deleted' | 'objects' | 'bytes'>;

/** The page of a sweep with lists of bounded length. */
export function pageOf(page: {
  amounts: readonly Amount[];
  running: readonly string[];
  unreadable: CleanUpPage['unreadable'];
  failed: CleanUpPage['failed'];
  noUploads: string | null;
}): CleanUpPage {
  return {
    kinds: sums(page.amounts),
    running: page.running.slice(0, SHOWN),
    unreadable: page.unreadable.slice(0, SHOWN),
    failed: page.failed.slice(0, SHOWN),
    failedCount: page.failed.length,
    noUploads: page.noUploads,
  };
}

/** Add a page to an answer. */
export function withPage(result: CleanUpResult, page: CleanUpPage): CleanUpResult {
  const kinds = sums([...result.kinds, ...page.kinds]);
  return {
    deleted: result.deleted,
    objects: kinds.reduce((sum, { objects }) => sum + objects, 0),
    bytes: kinds.reduce((sum, { bytes }) => sum + bytes, 0),
    kinds,
    running: [...new Set([...result.running, ...page.running])].slice(0, SHOWN),
    unreadable: oncePer([...result.unreadable, ...page.unreadable], ({ key }) => key).slice(0, SHOWN),
    failed: [...result.failed, ...page.failed].slice(0, SHOWN),
    failedCount: result.failedCount + page.failedCount,
    noUploads: result.noUploads ?? page.noUploads,
  };
}

const sums = (amounts: readonly Amount[]): Amount[] =>
  KINDS.map((kind) => totalOf(kind, amounts)).filter(({ objects }) => objects > 0);
