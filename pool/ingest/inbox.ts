import { DROP_MARKER, dropNameSchema, INBOX } from '../../domain/ingest/drop.js';
import type { DropState } from '../../domain/ingest/dropState.js';
import { type Receipt, receiptSchema } from '../../domain/ingest/receipt.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { forEachLimited } from '../../storage/parallel.js';
import { listPools } from '../../storage/pool/pool.js';
import { parseJson } from '../../storage/tables/json.js';
import { readDropState } from './dropStates.js';

const IN_PARALLEL = 8;

/** A drop that lies in an inbox. */
export interface InboxDrop {
  drop: string;
  /** Whether its marker is there. */
  isWhole: boolean;
  state: DropState | null;
}

export interface Inbox {
  drops: InboxDrop[];
  /** Folders whose names no drop may have; nobody reads them. */
  misnamed: string[];
}

/** What lies in the inbox of a pool, by name. */
export async function lookIntoInbox(store: ObjectStore, pool: string): Promise<Inbox> {
  const names: string[] = [];
  const misnamed: string[] = [];
  for await (const name of store.folders(keys.inbox(pool)))
    (dropNameSchema.safeParse(name).success ? names : misnamed).push(name);
  const drops: InboxDrop[] = [];
  await forEachLimited(names, IN_PARALLEL, async (drop) => {
    const isWhole = (await store.head(`${keys.drop(pool, drop)}${DROP_MARKER}`)) !== null;
    drops.push({ drop, isWhole, state: await readDropState(store, pool, drop) });
  });
  return { drops: drops.sort((a, b) => (a.drop < b.drop ? -1 : 1)), misnamed };
}

/**
 * Whole drops of an inbox in the store's order, those behind `after`, at most `limit`.
 *
 * @returns the last name that was looked at; null at the end of the inbox
 */
export async function wholeDrops(
  store: ObjectStore,
  pool: string,
  { after, limit, onProgress }: { after: string | null; limit: number; onProgress(): void },
): Promise<{ drops: string[]; last: string | null }> {
  const drops: string[] = [];
  for await (const name of store.folders(keys.inbox(pool))) {
    // Stores list folders by their keys, which end with a slash: `a.b/` comes before `a/`.
    if ((after !== null && `${name}/` <= `${after}/`) || !dropNameSchema.safeParse(name).success) continue;
    onProgress();
    if ((await store.head(`${keys.drop(pool, name)}${DROP_MARKER}`)) !== null) drops.push(name);
    if (drops.length >= limit) return { drops, last: name };
  }
  return { drops, last: null };
}

/** Pools that have an inbox with anything in it. */
export async function poolsWithInbox(store: ObjectStore): Promise<string[]> {
  const pools = new Set(await listPools(store));
  const found: string[] = [];
  for await (const name of store.folders(INBOX)) if (pools.has(name)) found.push(name);
  return found.sort();
}

/** Receipts of a pool, the newest first; of one drop alone if it is named. */
export async function listReceipts(
  store: ObjectStore,
  pool: string,
  { drop, limit = Number.POSITIVE_INFINITY }: { drop?: string | undefined; limit?: number } = {},
): Promise<Receipt[]> {
  const found: string[] = [];
  for await (const { key } of store.list(keys.receiptPrefix(pool))) found.push(key);
  const receipts: Receipt[] = [];
  for (const key of found.sort().reverse()) {
    if (receipts.length >= limit) break;
    const receipt = parseJson((await store.get(key)).body, key, receiptSchema);
    if (drop === undefined || receipt.drop === drop) receipts.push(receipt);
  }
  return receipts;
}
