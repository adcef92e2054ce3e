import type { IndexRow } from '../../domain/tables.js';
import type { Pool } from '../../storage/pool/pool.js';
import { ulid } from '../../storage/ulid.js';
import { isPurged, PURGED } from '../import/decide.js';

export interface Removed {
  /** The pool's version afterwards; unchanged if there was nothing to remove. */
  version: number;
  /** Id for `pool restore`; null if none was removed, or if their bytes will be deleted too. */
  removal: string | null;
  images: number;
}

/**
 * Take images out of the pool: rows are added that say so, and nothing is deleted. With `purge` the rows also say that
 * bytes are deleted, so that nothing is taken back that is no longer there. Images that were removed meanwhile stay as
 * they are.
 *
 * @param id names the removal; a fresh one if omitted
 */
export async function removeImages(
  pool: Pool,
  imageIds: readonly string[],
  { purge, now, id }: { purge: boolean; now: Date; id?: string },
): Promise<Removed> {
  const removal = purge ? PURGED : (id ?? ulid(now));
  const { version, rows } = await pool.append((history) =>
    imageIds.flatMap((imageId) => {
      const latest = history.latest(imageId);
      if (latest === undefined || (latest.removedAt !== null && !(purge && !isPurged(latest)))) return [];
      const at = now.toISOString();
      const labelRevision = latest.labelRevision + 1;
      const removedAt = latest.removedAt ?? at;
      return [{ ...latest, labelRevision, ingestedAt: at, change: 'removal' as const, changeId: removal, removedAt }];
    }),
  );
  return { version, removal: purge || rows.length === 0 ? null : removal, images: rows.length };
}

export interface Restored {
  version: number;
  images: number;
  /** Their bytes are deleted: only an import can bring them back. */
  purged: IndexRow[];
}

/**
 * Restore removed images in their earlier state. Images that are in the pool, or whose bytes are deleted, stay as they
 * are.
 */
export async function restoreImages(pool: Pool, imageIds: readonly string[], now: Date): Promise<Restored> {
  let purged: IndexRow[] = [];
  const { version, rows } = await pool.append((history) => {
    const removed = imageIds
      .flatMap((imageId) => history.latest(imageId) ?? [])
      .filter((row) => row.removedAt !== null);
    purged = removed.filter(isPurged);
    return removed
      .filter((row) => !isPurged(row))
      .map((row) => ({
        ...row,
        labelRevision: row.labelRevision + 1,
        ingestedAt: now.toISOString(),
        change: 'restore' as const,
        removedAt: null,
      }));
  });
  return { version, images: rows.length, purged };
}

/** One removal of a pool, with its images that are still removed. */
export interface RemovalRecord {
  removal: string;
  removedAt: string;
  images: number;
}

/** Removals that were not restored, the newest first; images whose bytes were deleted are counted separately. */
export function listRemovals(removed: Iterable<IndexRow>): { removals: RemovalRecord[]; purged: number } {
  const found = new Map<string, RemovalRecord>();
  let purged = 0;
  for (const row of removed) {
    if (isPurged(row)) {
      purged += 1;
      continue;
    }
    const removal = row.changeId ?? '';
    const record = found.get(removal) ?? { removal, removedAt: row.removedAt ?? '', images: 0 };
    record.images += 1;
    found.set(removal, record);
  }
  return { removals: [...found.values()].sort((a, b) => (a.removedAt < b.removedAt ? 1 : -1)), purged };
}
