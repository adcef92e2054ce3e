import { createHash } from 'node:crypto';
import { poolDefaults } from '../../domain/config.js';
import { PartloopError } from '../../domain/errors.js';
import type { IndexRow } from '../../domain/tables.js';
import { TAG_NAMES } from '../../domain/tags.js';
import { BACKGROUND, IGNORE_INDEX, type Taxonomy } from '../../domain/taxonomy.js';
import { readSource } from '../../formats/imageSources.js';
import type { ImportItem, ImportReport, RefusedItem } from '../../formats/importItem.js';
import { keys } from '../../storage/keys.js';
import { encodeLabel } from '../../storage/labelMask.js';
import type { ObjectStore } from '../../storage/objectStore.js';
import { openPool, type Pool } from '../../storage/pool.js';
import { inspectPicture } from './picture.js';

const IN_PARALLEL = 6;
/** Share of the training images that is kept for validation, drawn once by a hash of the vehicle. */
const VAL_SHARE = 0.05;

export interface ImportOptions {
  /** The whole import is test data. */
  test: boolean;
  onProgress(done: number): void;
  now: Date;
}

/** What became of one item: its row, or why it is refused. */
type Outcome = { fileName: string } & ({ row: IndexRow } | { reason: string });

/**
 * Bring items into a pool. Bad items are listed with their reasons and never stop the rest; the index is written last, so
 * that an import that dies leaves nothing half known; importing the same data again adds nothing.
 *
 * @throws PartloopError `config-invalid` where the pool has another taxonomy; faults of the store and of the source
 */
export async function importImages(
  store: ObjectStore,
  poolName: string,
  taxonomy: Taxonomy,
  items: AsyncIterable<ImportItem> | Iterable<ImportItem>,
  options: ImportOptions,
): Promise<ImportReport> {
  const pool = await preparePool(store, poolName, taxonomy);
  const before = await pool.latestVersion();
  const known = new Map((await pool.readIndex(before)).map((row) => [row.imageId, row]));
  const outcomes = await importAll(items, options.onProgress, (item) =>
    importItem(store, poolName, taxonomy, item, options),
  );

  const rows = new Map<string, IndexRow>();
  const refused: RefusedItem[] = [];
  let unchanged = 0;
  for (const outcome of outcomes) {
    const { fileName } = outcome;
    if ('reason' in outcome) {
      refused.push({ fileName, reason: outcome.reason });
      continue;
    }
    const { row } = outcome;
    const twin = rows.get(row.imageId);
    const earlier = known.get(row.imageId);
    if (twin !== undefined) {
      refused.push({ fileName, reason: `duplicate of ${twin.fileName}` });
    } else if (earlier !== undefined && (earlier.split === 'test') !== (row.split === 'test')) {
      const reason = `the same picture is in the pool's ${earlier.split} split as ${earlier.fileName}`;
      refused.push({ fileName, reason });
    } else if (earlier === undefined) rows.set(row.imageId, row);
    else if (earlier.labelSha256 === row.labelSha256) unchanged += 1;
    else rows.set(row.imageId, { ...row, split: earlier.split, labelRevision: earlier.labelRevision + 1 });
  }

  const added = [...rows.values()].sort((a, b) => (a.imageId < b.imageId ? -1 : 1));
  const version = added.length === 0 ? before : (await pool.append(() => added)).version;
  await chooseDefaults(store, poolName, [...known.values(), ...added]);
  return { pool: poolName, version, added: added.length, known: unchanged, refused };
}

/** Outcomes in the order of the items, several at a time; the first fault that is not the item's own stops all. */
async function importAll(
  items: AsyncIterable<ImportItem> | Iterable<ImportItem>,
  onProgress: (done: number) => void,
  work: (item: ImportItem) => Promise<IndexRow>,
): Promise<Outcome[]> {
  const iterator = toIterator(items);
  const outcomes: Outcome[] = [];
  let taken = 0;
  let done = 0;
  let failed = false;
  const lane = async (): Promise<void> => {
    while (!failed) {
      const next = await iterator.next();
      if (next.done) return;
      const index = taken++;
      const { fileName } = next.value;
      try {
        outcomes[index] = { fileName, row: await work(next.value) };
      } catch (error) {
        if (!(error instanceof PartloopError) || error.code !== 'data-invalid') throw error;
        outcomes[index] = { fileName, reason: error.message };
      }
      onProgress(++done);
    }
  };
  const lanes = Array.from({ length: IN_PARALLEL }, () =>
    lane().catch((error: unknown) => {
      failed = true;
      throw error;
    }),
  );
  for (const ended of await Promise.allSettled(lanes)) if (ended.status === 'rejected') throw ended.reason;
  return outcomes;
}

async function importItem(
  store: ObjectStore,
  pool: string,
  taxonomy: Taxonomy,
  item: ImportItem,
  options: ImportOptions,
): Promise<IndexRow> {
  const { image } = item;
  const { bytes, etag, versionId } = await readSource(store, image);
  const { width, height, perceptualHash } = await inspectPicture(bytes);
  const label = await item.label({ width, height });
  if (label.length !== width * height) {
    throw new PartloopError(
      'data-invalid',
      `its label has ${label.length} pixels, the upright picture ${width}×${height}`,
    );
  }
  const classes = classesOf(label, taxonomy);
  const encoded = await encodeLabel(label, width, height);
  const imageId = sha256(bytes);
  const labelSha256 = sha256(encoded);
  const imageUri = image.kind === 'registered' ? image.uri : keys.image(pool, imageId);
  const labelUri = keys.label(pool, labelSha256);
  await store.putIfAbsent(labelUri, encoded, 'image/png');
  if (image.kind === 'bytes') await store.putIfAbsent(imageUri, bytes);
  const origins = TAG_NAMES.filter((tag) => item.tags[tag] !== null).map((tag) => [tag, 'given']);
  return {
    imageId,
    fileName: item.fileName,
    imageUri,
    imageEtag: etag,
    imageVersion: versionId,
    labelUri,
    labelSha256,
    width,
    height,
    ...item.tags,
    tagOrigins: JSON.stringify(Object.fromEntries(origins)),
    vehicleId: item.vehicleId,
    source: item.source,
    split: options.test ? 'test' : (item.split ?? drawnSplit(item.vehicleId ?? imageId)),
    perceptualHash,
    classes,
    labelRevision: 0,
    ingestedAt: options.now.toISOString(),
    change: 'import',
    changeId: null,
    removedAt: null,
  };
}

/**
 * Classes that a label has, ascending, background left out.
 *
 * @throws PartloopError `data-invalid` for a value that the taxonomy does not have, and for a label that is ignored everywhere
 */
export function classesOf(label: Uint8Array, taxonomy: Taxonomy): number[] {
  const present = new Uint8Array(256);
  for (const value of label) present[value] = 1;
  const classes: number[] = [];
  for (let value = 1; value < IGNORE_INDEX; value++) {
    if (present[value] === 0) continue;
    if (value > taxonomy.classes.length)
      throw new PartloopError(
        'data-invalid',
        `its label has value ${value}; taxonomy ${taxonomy.name} ends at ${taxonomy.classes.length}`,
      );
    classes.push(value);
  }
  if (classes.length === 0 && present[BACKGROUND] === 0)
    throw new PartloopError('data-invalid', 'its label is ignored everywhere');
  return classes;
}

/** Validation or training by a hash alone, so that a vehicle is always on the same side. */
function drawnSplit(unit: string): 'train' | 'val' {
  return Number.parseInt(sha256(Buffer.from(`val ${unit}`)).slice(0, 8), 16) / 2 ** 32 < VAL_SHARE ? 'val' : 'train';
}

/** The pool, made with its taxonomy where it is new; another taxonomy is refused with the differences. */
async function preparePool(store: ObjectStore, name: string, taxonomy: Taxonomy): Promise<Pool> {
  const created = await store.putIfAbsent(keys.taxonomy(name), JSON.stringify(taxonomy, null, 1), 'application/json');
  const pool = await openPool(store, name);
  if (created === 'exists') {
    const mine = taxonomy.classes.map((entry) => entry.name);
    const its = pool.taxonomy.classes.map((entry) => entry.name);
    if (JSON.stringify(mine) !== JSON.stringify(its)) {
      const extra = mine.filter((entry) => !its.includes(entry));
      const lacking = its.filter((entry) => !mine.includes(entry));
      throw new PartloopError(
        'config-invalid',
        `pool \`${name}\` has taxonomy ${pool.taxonomy.name}, not ${taxonomy.name}: only here ${extra.join(', ') || 'nothing'}; only there ${lacking.join(', ') || 'nothing'}`,
        {
          hint: 'Import under another pool name, or with the taxonomy of the pool.',
        },
      );
    }
  }
  return pool;
}

/** Settings that fit the pool's size when its first training images come in; a person may edit them afterwards. */
async function chooseDefaults(store: ObjectStore, name: string, rows: readonly IndexRow[]): Promise<void> {
  const images = rows.filter((row) => row.split === 'train').length;
  if (images === 0) return;
  await store.putIfAbsent(keys.poolDefaults(name), JSON.stringify(poolDefaults(images), null, 1), 'application/json');
}

function toIterator<T>(items: AsyncIterable<T> | Iterable<T>): { next(): Promise<IteratorResult<T>> } {
  const iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  return { next: async () => iterator.next() };
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
