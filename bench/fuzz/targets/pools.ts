import type { IndexRow } from '../../../domain/tables.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { decodeLabel } from '../../../storage/pictures/labelMask.js';
import { openPool } from '../../../storage/pool/pool.js';
import { TAXONOMY } from '../../../test/support/pictures/pictures.js';
import { memoryStore } from '../../../test/support/standIns/memoryStore.js';
import { BrokenPromise } from '../target.js';

export const POOL = 'cars';
export const NOW = new Date('2026-01-01T00:00:00Z');

/** A store that may be written to without the other knowing. */
export async function copyOf(store: ReturnType<typeof memoryStore>): Promise<ReturnType<typeof memoryStore>> {
  const copy = memoryStore();
  for (const key of store.keys) await copy.put(key, (await store.get(key)).body);
  return copy;
}

/** The newest rows of the pool, by image id. */
export async function rowsOf(store: ObjectStore): Promise<Map<string, IndexRow>> {
  const pool = await openPool(store, POOL);
  const rows = await pool.readIndex(await pool.latestVersion());
  return new Map(rows.map((row) => [row.imageId, row]));
}

/** @throws BrokenPromise if an image is gone, or has another label than before, although it may not have changed */
export function sameLabels(
  before: ReadonlyMap<string, IndexRow>,
  after: ReadonlyMap<string, IndexRow>,
  mayChange: (row: IndexRow) => boolean,
  what: string,
): void {
  for (const [imageId, row] of before) {
    const now = after.get(imageId);
    if (now === undefined) throw new BrokenPromise(`${what}: ${row.fileName} is gone`);
    if (now.labelSha256 !== row.labelSha256 && !mayChange(row))
      throw new BrokenPromise(`${what}: the label of ${row.fileName} changed`);
  }
}

/** Words of the runtime's own errors: an item refused with them met a fault of ours. */
const INTERNAL =
  /is not a function|is not iterable|Cannot (read|convert|destructure)|Maximum call stack|Invalid (array|string|typed)|out of range|maximum size|undefined \(/;

/** @throws BrokenPromise if an item is refused for a reason that nobody wrote for a reader */
export function noInternalErrors(refused: readonly { fileName: string; reason: string }[]): void {
  for (const { fileName, reason } of refused)
    if (INTERNAL.test(reason))
      throw new BrokenPromise(`${fileName} is refused by a fault of ours: ${reason.slice(0, 500)}`);
}

/** @throws BrokenPromise if a stored label is not one of the taxonomy, or not of its picture's size */
export async function soundLabels(
  store: ObjectStore,
  before: ReadonlyMap<string, IndexRow>,
  after: ReadonlyMap<string, IndexRow>,
): Promise<void> {
  for (const row of after.values()) {
    if (before.get(row.imageId)?.labelSha256 === row.labelSha256) continue;
    const { pixels, width, height } = await decodeLabel((await store.get(row.labelUri)).body);
    if (width !== row.width || height !== row.height)
      throw new BrokenPromise(
        `the label of ${row.fileName} is ${width}×${height}, its picture ${row.width}×${row.height}`,
      );
    const strange = pixels.find((value) => value > TAXONOMY.classes.length && value !== 255);
    if (strange !== undefined) throw new BrokenPromise(`the label of ${row.fileName} has value ${strange}`);
  }
}
