import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { poolDefaults } from '../domain/config.js';
import { PartloopError } from '../domain/errors.js';
import type { IndexRow } from '../domain/tables.js';
import { TAG_NAMES } from '../domain/tags.js';
import { BACKGROUND, IGNORE_INDEX, type Taxonomy } from '../domain/taxonomy.js';
import { keys } from '../storage/keys.js';
import { encodeLabel } from '../storage/labelMask.js';
import type { ObjectStore } from '../storage/objectStore.js';
import { openPool, type Pool } from '../storage/pool.js';
import type { ImportItem, ImportReport, RefusedItem } from './importItem.js';
import { differenceHash } from './perceptualHash.js';

const IN_PARALLEL = 6;
const MAX_BYTES = 200 * 2 ** 20;
const MAX_PIXELS = 100_000_000;
/** Share of the training images that is kept for validation, drawn once by a hash of the vehicle. */
const VAL_SHARE = 0.05;

export interface ImportOptions {
  /** The whole import is test data. */
  test: boolean;
  onProgress(done: number): void;
  now: Date;
}

/**
 * Bring items into a pool. Bad items are listed with their reasons and never stop the rest; the index is written last, so
 * that an import that dies leaves nothing half known; importing the same data again adds nothing.
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
  const rows = new Map<string, IndexRow>();
  const refused: RefusedItem[] = [];
  let unchanged = 0;
  let done = 0;

  const iterator = toIterator(items);
  const lane = async (): Promise<void> => {
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
      const item = next.value;
      try {
        const row = await importItem(store, poolName, taxonomy, item, options);
        const earlier = known.get(row.imageId);
        if (rows.has(row.imageId))
          throw new PartloopError('data-invalid', `duplicate of ${rows.get(row.imageId)?.fileName}`);
        if (earlier !== undefined && earlier.labelSha256 === row.labelSha256) unchanged += 1;
        else if (earlier !== undefined && (earlier.split === 'test') !== (row.split === 'test')) {
          throw new PartloopError(
            'data-invalid',
            `the same picture is in the pool's ${earlier.split} split as ${earlier.fileName}`,
          );
        } else
          rows.set(
            row.imageId,
            earlier === undefined ? row : { ...row, split: earlier.split, labelRevision: earlier.labelRevision + 1 },
          );
      } catch (error) {
        if (!(error instanceof PartloopError) || error.code !== 'data-invalid') throw error;
        refused.push({ fileName: item.fileName, reason: error.message });
      }
      options.onProgress(++done);
    }
  };
  await Promise.all(Array.from({ length: IN_PARALLEL }, lane));

  const added = [...rows.values()].sort((a, b) => (a.imageId < b.imageId ? -1 : 1));
  const version = added.length === 0 ? before : await pool.appendRows(added);
  await chooseDefaults(store, poolName, [...known.values(), ...added]);
  return {
    pool: poolName,
    version,
    added: added.length,
    known: unchanged,
    refused: refused.sort((a, b) => (a.fileName < b.fileName ? -1 : 1)),
  };
}

async function importItem(
  store: ObjectStore,
  pool: string,
  taxonomy: Taxonomy,
  item: ImportItem,
  options: ImportOptions,
): Promise<IndexRow> {
  const bytes = await item.image.read();
  if (bytes.length > MAX_BYTES)
    throw new PartloopError('data-invalid', `it has ${bytes.length} bytes, more than ${MAX_BYTES}`);
  const { width, height, perceptualHash } = await inspect(bytes);
  const label = await item.label({ width, height });
  if (label.length !== width * height)
    throw new PartloopError(
      'data-invalid',
      `its label has ${label.length} pixels, the upright picture ${width}×${height}`,
    );
  const classes = classesOf(label, taxonomy);
  const encoded = await encodeLabel(label, width, height);
  const imageId = sha256(bytes);
  const labelSha256 = sha256(encoded);
  const labelKey = keys.label(pool, labelSha256);
  await store.putIfAbsent(labelKey, encoded, 'image/png');
  if (item.image.kind === 'bytes') await store.putIfAbsent(keys.image(pool, imageId), bytes);
  return {
    imageId,
    fileName: item.fileName,
    imageUri: item.image.kind === 'bytes' ? keys.image(pool, imageId) : item.image.uri,
    imageEtag: item.image.kind === 'bytes' ? null : item.image.etag,
    imageVersion: item.image.kind === 'bytes' ? null : item.image.versionId,
    labelUri: labelKey,
    labelSha256,
    width,
    height,
    ...item.tags,
    tagOrigins: JSON.stringify(
      Object.fromEntries(TAG_NAMES.filter((tag) => item.tags[tag] !== null).map((tag) => [tag, 'given'])),
    ),
    vehicleId: item.vehicleId,
    source: item.source,
    split: options.test ? 'test' : (item.split ?? drawnSplit(item.vehicleId ?? imageId)),
    perceptualHash,
    classes,
    labelRevision: 0,
    ingestedAt: options.now.toISOString(),
  };
}

/** Upright size and difference hash; refuses what is no picture, is cut short, or is far too large. */
async function inspect(bytes: Buffer): Promise<{ width: number; height: number; perceptualHash: string }> {
  try {
    const { autoOrient, format } = await sharp(bytes, { limitInputPixels: MAX_PIXELS, failOn: 'error' }).metadata();
    if (format === 'svg' || format === 'pdf') throw new Error(`${format} is not a photograph`);
    return {
      width: autoOrient.width,
      height: autoOrient.height,
      perceptualHash: await differenceHash(bytes, MAX_PIXELS),
    };
  } catch (cause) {
    throw new PartloopError(
      'data-invalid',
      `it is not a readable picture: ${cause instanceof Error ? cause.message.replace(/\s+/g, ' ') : String(cause)}`,
      { cause },
    );
  }
}

function classesOf(label: Uint8Array, taxonomy: Taxonomy): number[] {
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

/** Settings that fit the pool's size; they follow its growth until a person edits them. */
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
