import { PartloopError } from '../../domain/base/errors.js';
import type { IndexRow } from '../../domain/tables.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import type { Pool } from '../../storage/pool/pool.js';
import { type LabelFields, poolLabel } from '../label.js';
import { LabelKeeper } from '../labelKeeper.js';

/** A new label of an image. */
export interface Revision {
  imageId: string;
  /** Digest of the label on which it was made: it is made again if the pool has another one by then. */
  on: string;
  label: LabelFields;
}

/** The source of revisions: the change that their rows name. */
export interface Maker {
  change: 'review' | 'undo';
  changeId: string;
  now: Date;
}

const MAX_RACES = 20;

/**
 * Stores a label for a revision; a label that the store already has stays as it is.
 *
 * @throws PartloopError `data-invalid` for a label with a value that the taxonomy does not have
 */
export type StoreLabel = (pixels: Uint8Array) => Promise<LabelFields>;

/**
 * Give labels new revisions, each after all earlier ones of its image. `make` gets an image's rows, the oldest first,
 * and returns its new label, or null if it stays; it is called again for an image whose label another writer changed
 * meanwhile. Labels that it stores survive a concurrent deletion of bytes.
 */
export async function reviseLabels<Job extends { imageId: string }>(
  store: ObjectStore,
  pool: Pool,
  jobs: readonly Job[],
  maker: Maker,
  make: (job: Job, rows: readonly IndexRow[], storeLabel: StoreLabel) => Promise<Revision | null>,
): Promise<{ version: number; revised: number }> {
  let open = jobs;
  let revised = 0;
  for (let race = 0; race < MAX_RACES; race++) {
    const history = await pool.history();
    const labels = new LabelKeeper(store, history);
    const made: { job: Job; revision: Revision }[] = [];
    for (const job of open) {
      const own = history.revisions(job.imageId);
      const revision = await make(job, own, async (pixels) => {
        const [row] = own;
        if (row === undefined) throw new PartloopError('not-found', `pool ${pool.name} has no image ${job.imageId}`);
        return labels.put(await poolLabel(pool, pixels, row), own);
      });
      if (revision !== null) made.push({ job, revision });
    }
    if (made.length === 0) return { version: await pool.latestVersion(), revised };
    made.sort((a, b) => (a.job.imageId < b.job.imageId ? -1 : 1));
    let late: Job[] = [];
    const { version, rows } = await pool.append((newest) => {
      late = [];
      return made.flatMap(({ job, revision }) => {
        const row = rowOnTop(newest.latest(revision.imageId), revision, maker);
        if (row === null) late.push(job);
        return row ?? [];
      });
    });
    await labels.settle(rows);
    revised += rows.length;
    open = late;
    if (open.length === 0) return { version, revised };
  }
  throw new PartloopError(
    'store-conflict',
    `pool ${pool.name}: its labels were changed faster than they could be read`,
    {
      hint: 'Try again when other imports have finished.',
    },
  );
}

function rowOnTop(there: IndexRow | undefined, { on, label }: Revision, maker: Maker): IndexRow | null {
  if (there === undefined || there.removedAt !== null || there.labelSha256 !== on) return null;
  const { change, changeId, now } = maker;
  const labelRevision = there.labelRevision + 1;
  return { ...there, ...label, change, changeId, labelRevision, ingestedAt: now.toISOString() };
}
