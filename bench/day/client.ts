import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { wakeIngest } from '../../activities/ingest.js';
import { DROP_MARKER } from '../../domain/ingest/drop.js';
import { listReceipts } from '../../pool/ingest/inbox.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { forEachLimited } from '../../storage/parallel.js';
import type { Parcel } from './drops/parcel.js';

const IN_PARALLEL = 6;
const LOOK_MS = 500;
/** A drop that is not settled by then counts as lost. */
const SETTLED_MS = 3 * 60_000;
/** A drop that grows does so while it is read, or a moment later. */
const GROWS_AFTER_MS = 250;

/** The clients of a pool: they write files, then a marker, and their store tells the ingest of it. */
export class DayClients {
  constructor(
    private readonly store: ObjectStore,
    private readonly client: Client,
    private readonly pool: string,
  ) {}

  /** Put a parcel into a drop; its marker last. */
  async send(drop: string, { files, marker, when }: Parcel): Promise<void> {
    if (when === 'at once') await sleep(GROWS_AFTER_MS);
    const folder = keys.drop(this.pool, drop);
    await forEachLimited([...files], IN_PARALLEL, async ([path, body]) => {
      await this.store.put(`${folder}${path}`, body);
    });
    if (marker === null) return;
    await this.store.put(`${folder}${DROP_MARKER}`, marker);
    await this.tell();
  }

  /** What an event of the store does. */
  async tell(): Promise<void> {
    await wakeIngest(this.client, this.pool);
  }

  /** Wait until a drop has so many receipts; false if it has not in time. */
  async settled(drop: string, receipts: number, signal: AbortSignal): Promise<boolean> {
    for (const until = Date.now() + SETTLED_MS; ; await sleep(LOOK_MS, undefined, { signal })) {
      if ((await listReceipts(this.store, this.pool, { drop })).length >= receipts) return true;
      if (Date.now() > until) return false;
    }
  }
}
