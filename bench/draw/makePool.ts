import { say } from '../../cli/terminal/output.js';
import { dsmlr18 } from '../../domain/taxonomies/dsmlr18.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { openPool } from '../../storage/pool/pool.js';
import { poolRows, type Spread } from './rows.js';

export const SEGMENT = 57_700;

/** Only an index, without pictures; an existing one is used again. */
export async function makePool(store: ObjectStore, name: string, rows: number, spread: Spread): Promise<void> {
  await store.putIfAbsent(keys.taxonomy(name), JSON.stringify(dsmlr18), 'application/json');
  const pool = await openPool(store, name);
  for (let from = (await pool.latestVersion()) * SEGMENT; from < rows; from += SEGMENT) {
    say(`pool ${name}: images ${from} to ${Math.min(rows, from + SEGMENT)} of ${rows} …`);
    await pool.append(() => poolRows(from, Math.min(SEGMENT, rows - from), spread));
  }
}
