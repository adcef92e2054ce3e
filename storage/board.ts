import { createHash } from 'node:crypto';
import { type Batch, batchSchema, type Queue } from '../domain/board/batch.js';
import { type Leases, leasesSchema, NO_LEASES } from '../domain/board/leases.js';
import { keys } from './keys.js';
import { compareAndSwap } from './objects/compareAndSwap.js';
import type { ObjectStore } from './objects/objectStore.js';
import { parseJson, readJson } from './tables/json.js';

/** The batches of answers of a pool. One that did not change since the last look is not read again. */
export class BatchReader {
  readonly #known = new Map<string, { etag: string; batch: Batch }>();

  constructor(
    private readonly store: ObjectStore,
    private readonly pool: string,
  ) {}

  /** All of them, or the newest, in the order in which they were begun. */
  async read(newest = Number.POSITIVE_INFINITY): Promise<Batch[]> {
    const listed: { key: string; etag: string }[] = [];
    for await (const { key, etag } of this.store.list(keys.boardBatchPrefix(this.pool)))
      if (key.endsWith('.json')) listed.push({ key, etag });
    const batches: Batch[] = [];
    // Keys sort by the time at which batches were begun.
    for (const { key, etag } of listed.sort((a, b) => (a.key < b.key ? -1 : 1)).slice(-newest)) {
      const known = this.#known.get(key);
      const batch = known?.etag === etag ? known.batch : await readJson(this.store, key, batchSchema);
      this.#known.set(key, { etag, batch });
      batches.push(batch);
    }
    return batches.sort((a, b) => (a.id < b.id ? -1 : 1));
  }
}

/** The same once. */
export const readBatches = (store: ObjectStore, pool: string): Promise<Batch[]> => new BatchReader(store, pool).read();

/** Write a new batch. */
export async function addBatch(store: ObjectStore, batch: Batch): Promise<void> {
  await store.putIfAbsent(keys.boardBatch(batch.pool, batch.id), textOf(batch), 'application/json');
}

/**
 * Change a batch by a conditional write; `change` is called again if another server was first, and returns null to
 * leave the batch as it is.
 *
 * @returns the batch afterwards
 */
export async function changeBatch(
  store: ObjectStore,
  { pool, id }: Pick<Batch, 'pool' | 'id'>,
  change: (batch: Batch) => Batch | null,
): Promise<Batch> {
  const key = keys.boardBatch(pool, id);
  const { result } = await compareAndSwap(store, key, {
    async read() {
      const { body, etag } = await store.get(key);
      return { value: parseJson(body, key, batchSchema), etag };
    },
    decide(before) {
      const after = change(before);
      return { body: after === null ? null : textOf(after), result: after ?? before };
    },
    purpose: 'to add an answer',
  });
  return result;
}

const textOf = (batch: Batch): string => JSON.stringify(batchSchema.parse(batch));

/** Change the leases of a queue; `change` is called again if another server was first. */
export async function changeLeases<Result>(
  store: ObjectStore,
  { pool, scan, queue }: { pool: string; scan: string; queue: Queue },
  change: (leases: Leases) => { leases: Leases; result: Result },
): Promise<Result> {
  const key = queue === 'audit' ? keys.boardAuditLeases(pool, scan) : keys.boardLeases(pool, scan);
  const { result } = await compareAndSwap(store, key, {
    async read() {
      const there = await store.tryGet(key);
      return there === null
        ? { value: NO_LEASES, etag: null }
        : { value: parseJson(there.body, key, leasesSchema), etag: there.etag };
    },
    decide(before) {
      const { leases, result: made } = change(before);
      return { body: JSON.stringify(leases), result: made };
    },
    purpose: 'to lease findings',
  });
  return result;
}

/** Keep a label of the board (`encodeLabel`); its digest. */
export async function putBoardLabel(store: ObjectStore, pool: string, png: Uint8Array): Promise<string> {
  const sha256 = createHash('sha256').update(png).digest('hex');
  await store.putIfAbsent(keys.boardLabel(pool, sha256), png, 'image/png');
  return sha256;
}

export async function readBoardLabel(store: ObjectStore, pool: string, sha256: string): Promise<Uint8Array> {
  return (await store.get(keys.boardLabel(pool, sha256))).body;
}
