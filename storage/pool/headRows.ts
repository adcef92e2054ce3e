import type { LeftOut } from '../../domain/images/leftOut.js';
import type { IndexRow } from '../../domain/tables.js';
import type { ObjectStore } from '../objects/objectStore.js';
import { forEachLimited } from '../parallel.js';

const HEADS_IN_FLIGHT = 48;
/** Images between two reports of progress. */
const TOLD_EVERY = 500;

type Problem = Pick<LeftOut, 'kind' | 'reason'>;

/** Rows whose image and label are where the index says, and the others with their faults; both in the given order. */
export interface HeadedRows<Row> {
  present: Row[];
  missing: LeftOut[];
}

/**
 * Check the images and labels of `rows`, only by HEAD requests. `onProgress` gets the number checked every 500 rows.
 *
 * @throws the reason of `signal` when it aborts
 */
export async function headRows<Row extends IndexRow>(
  store: ObjectStore,
  rows: readonly Row[],
  { signal, onProgress }: { signal: AbortSignal; onProgress(done: number): void },
): Promise<HeadedRows<Row>> {
  const problems: (Problem | null)[] = new Array(rows.length).fill(null);
  let found = 0;
  const look = async (row: Row, position: number): Promise<void> => {
    problems[position] = await headRow(store, row);
    if (++found % TOLD_EVERY === 0 || found === rows.length) onProgress(found);
  };
  await forEachLimited(rows, HEADS_IN_FLIGHT, look, signal);
  return {
    present: rows.filter((_, position) => problems[position] === null),
    missing: rows.flatMap(({ imageId, fileName }, position) => {
      const problem = problems[position];
      return problem == null ? [] : [{ imageId, fileName, ...problem }];
    }),
  };
}

/** The fault of a row's objects; null if both are there. */
async function headRow(store: ObjectStore, row: IndexRow): Promise<Problem | null> {
  return (
    (await problemOf(store, 'image', row.imageUri, row.imageEtag)) ??
    (await problemOf(store, 'label', row.labelUri, null))
  );
}

async function problemOf(store: ObjectStore, what: string, uri: string, etag: string | null): Promise<Problem | null> {
  const facts = await store.head(uri);
  if (facts === null) return { kind: 'gone', reason: `${what} ${uri} is missing` };
  if (facts.size === 0) return { kind: 'unreadable', reason: `${what} ${uri} is empty` };
  if (etag !== null && facts.etag !== etag)
    return { kind: 'changed', reason: `${what} ${uri} has changed since it was registered` };
  return null;
}
