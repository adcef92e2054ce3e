import assert from 'node:assert/strict';
import fc from 'fast-check';
import { PartloopError } from '../../domain/base/errors.js';
import { chunkRowSchema, type IndexRow, type TrainingRow, trainingRowSchema } from '../../domain/tables.js';
import { ANGLES, tagsSchema, VEHICLES } from '../../domain/tags.js';
import {
  type GrownTrainingSet,
  rowsOf,
  withRows,
  withScannedTags,
  writeTrainingSet,
} from '../../pool/grownTrainingSet.js';
import { type CurrentTrainingSet, readTrainingRows, readTrainingSet } from '../../pool/trainingSet.js';
import { keys } from '../../storage/keys.js';
import { openPool } from '../../storage/pool/pool.js';
import { readTable, writeTable } from '../../storage/tables/table.js';
import { chunkRow, idOf, indexRow, scanRow, TAXONOMY } from '../domain/sample/rows.js';
import { memoryStore } from '../support/standIns/memoryStore.js';

const KEY = 'earlier.parquet';
const picked = (n: number, fields: Partial<IndexRow> = {}): TrainingRow => ({
  ...indexRow(n, { labelRevision: 0, ...fields }),
  ...{ cluster: idOf(n % 3), pickedIn: n },
});
const numbersOf = (rows: Iterable<{ imageId: string }>): number[] =>
  [...rows].map(({ imageId }) => Number.parseInt(imageId, 16));

/** A pool with some segments, and a training set of its images. */
async function readWith(
  segments: IndexRow[][],
  trained = [1, 2, 3, 4, 5].map((n) => picked(n)),
): Promise<CurrentTrainingSet & { rows: TrainingRow[] }> {
  const store = memoryStore();
  await store.put(keys.taxonomy('cars'), JSON.stringify(TAXONOMY));
  const pool = await openPool(store, 'cars');
  for (const rows of segments) await pool.append(() => rows);
  await writeTable(store, KEY, trained, trainingRowSchema);
  const now = { pool, version: await pool.latestVersion() };
  const current = await readTrainingSet(store, now, KEY, new Set([idOf(5)]));
  return { ...current, rows: await readTrainingRows(store, now, KEY) };
}

describe('the training set of an earlier iteration', () => {
  const first = [1, 2, 3, 4, 5].map((n) => indexRow(n, { labelRevision: 0 }));

  it('is read as the pool has it now, with newer labels at their places', async () => {
    const relabelled = indexRow(2, { labelRevision: 1, labelSha256: idOf(99), labelUri: 'labels/99', classes: [2, 3] });
    const moved = indexRow(3, { labelRevision: 1, split: 'test' });
    const removed = indexRow(4, { labelRevision: 1, removedAt: '2026-01-02T00:00:00.000Z' });
    const { images, earlier, stale, changed, rows } = await readWith([first, [relabelled, moved, removed]]);
    const newer = { ...relabelled, cluster: idOf(2), pickedIn: 2 };
    assert.deepEqual(
      [...images].map(({ imageId, classes }) => [imageId, classes]),
      [
        [idOf(1), [1]],
        [idOf(2), [2, 3]],
      ],
    );
    assert.deepEqual([images.count, earlier], [2, 5]);
    assert.deepEqual(
      [1, 2, 3, 4, 5].map((n) => images.has(idOf(n))),
      [true, true, false, false, false],
    );
    assert.deepEqual(changed, [newer]);
    assert.deepEqual(stale, new Set([2, 3, 4, 5].map(idOf)));
    assert.deepEqual(rows, [picked(1), newer, picked(5)], 'nothing is set aside for whole rows');
  });

  it('keeps tags that a scan inferred, as inferred, until the pool has them', async () => {
    const seen = picked(1, { angle: 45, zoomed: true, tagOrigins: '{"angle":"inferred","zoomed":"given"}' });
    const relabelled = indexRow(1, { labelRevision: 1, vehicle: 'suv', tagOrigins: '{"vehicle":"given"}' });
    const { changed } = await readWith([[relabelled]], [seen]);
    const known = { angle: 45 as const, tagOrigins: '{"vehicle":"given","angle":"inferred"}' };
    assert.deepEqual(changed, [{ ...relabelled, ...known, cluster: idOf(1), pickedIn: 1 }]);
    const tagged = indexRow(1, { labelRevision: 1, angle: 90, tagOrigins: '{"angle":"given"}' });
    const given = await readWith([[tagged]], [seen]);
    assert.deepEqual(given.changed, [{ ...tagged, cluster: idOf(1), pickedIn: 1 }]);
  });

  it('is the same as before if nothing has changed but quarantine', async () => {
    const { images, rows } = await readWith([first]);
    assert.deepEqual(numbersOf(images), [1, 2, 3, 4]);
    assert.deepEqual(
      rows,
      [1, 2, 3, 4, 5].map((n) => picked(n)),
    );
  });

  it('has the tags and parts of its table', async () => {
    const tags = fc.record({
      angle: fc.option(fc.constantFrom(...ANGLES)),
      vehicle: fc.option(fc.constantFrom(...VEHICLES)),
      zoomed: fc.option(fc.boolean()),
    });
    const parts = fc.uniqueArray(fc.nat({ max: 40 }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.record({ tags, classes: parts }), { minLength: 1, maxLength: 8 }), async (all) => {
        const trained = all.map(({ tags: own, classes }, n) => picked(n + 10, { ...own, classes }));
        const { images } = await readWith(
          [trained.map((row) => indexRow(numbersOf([row])[0] ?? 0, { labelRevision: 0 }))],
          trained,
        );
        const shown = (rows: Iterable<Pick<TrainingRow, 'classes'>>) =>
          [...rows].map((row) => [tagsSchema.parse(row), row.classes]);
        assert.deepEqual(shown(images), shown(trained));
      }),
      { numRuns: 12 },
    );
  });

  it('is refused with its key and its fault if it is no training set', async () => {
    const broken = { ...picked(2), imageId: 'no digest' };
    await assert.rejects(readWith([first], [picked(1), broken]), (error) => {
      assert.ok(error instanceof PartloopError && error.code === 'data-invalid');
      assert.match(error.message, /earlier\.parquet, row 1: .*imageId/s);
      return true;
    });
  });
});

describe('a training set that grows', () => {
  const CHUNK = 'chunk.parquet';
  const pick = (n: number): TrainingRow => ({ ...chunkRow(n), pickedIn: 7 });
  const setUp = async () => {
    const store = memoryStore();
    await writeTable(
      store,
      KEY,
      [1, 3, 5, 8].map((n) => picked(n)),
      trainingRowSchema,
    );
    await writeTable(
      store,
      CHUNK,
      [9, 2, 4, 0].map((n) => chunkRow(n)),
      chunkRowSchema,
    );
    const grown: GrownTrainingSet = {
      ...{ earlier: KEY, stale: new Set([3, 8].map(idOf)), chunk: CHUNK, pickedIn: 7 },
      ...{ picked: new Set([0, 2, 9, 77].map(idOf)), rows: [pick(77), picked(8, { labelRevision: 4 })] },
    };
    return { store, grown };
  };

  it('has old and new picks in order of image id, each once, as rows that were written one by one', async () => {
    const { store, grown } = await setUp();
    await writeTrainingSet(store, 'new.parquet', grown);
    assert.deepEqual(await readTable(store, 'new.parquet', trainingRowSchema), [
      ...[pick(0), picked(1), pick(2), picked(5)],
      ...[picked(8, { labelRevision: 4 }), pick(9), pick(77)],
    ]);
  });

  it('may have other rows for some images, and none for others', async () => {
    const { store, grown } = await setUp();
    const relabelled = [pick(2), picked(5), pick(77)].map((row) => ({ ...row, labelSha256: idOf(1_000) }));
    await writeTrainingSet(
      store,
      'new.parquet',
      withRows(
        grown,
        relabelled,
        [idOf(9), idOf(1)].map((imageId) => ({ imageId })),
      ),
    );
    const [two, five, last] = relabelled;
    assert.deepEqual(await readTable(store, 'new.parquet', trainingRowSchema), [
      ...[pick(0), two, five, picked(8, { labelRevision: 4 }), last],
    ]);
  });

  it('has the tags that a scan inferred of new picks, marked as inferred, and no others', async () => {
    const { store, grown } = await setUp();
    const chunk = [0, 2, 4, 9].map((n) =>
      n === 2 ? chunkRow(n, { angle: 0, tagOrigins: '{"angle":"given"}' }) : chunkRow(n),
    );
    await writeTable(store, CHUNK, chunk, chunkRowSchema);
    const scanned = [0, 2, 4].map((n) => scanRow(n, { inferredTags: '{"angle":90,"zoomed":false}' }));
    await writeTrainingSet(store, 'new.parquet', await withScannedTags(store, grown, chunk, scanned));
    const rows = await readTable(store, 'new.parquet', trainingRowSchema);
    assert.deepEqual(
      rows.map(({ imageId, angle, zoomed, tagOrigins }) => [...numbersOf([{ imageId }]), angle, zoomed, tagOrigins]),
      [
        [0, 90, false, '{"angle":"inferred","zoomed":"inferred"}'],
        ...[1].map((n) => [n, null, null, '{}']),
        [2, 0, false, '{"angle":"given","zoomed":"inferred"}'],
        ...[5, 8, 9, 77].map((n) => [n, null, null, '{}']),
      ],
    );
  });

  it('gives whole rows of the images that it has', async () => {
    const { store, grown } = await setUp();
    const asked = new Set([1, 2, 3, 4, 8, 77, 500].map(idOf));
    assert.deepEqual(await rowsOf(store, grown, asked), [
      ...[picked(1), pick(2), picked(8, { labelRevision: 4 }), pick(77)],
    ]);
  });

  it('begins with a chunk alone, whose table may be of a version without later columns', async () => {
    const { store, grown } = await setUp();
    const older = chunkRowSchema.omit({ change: true, changeId: true, removedAt: true });
    await writeTable(
      store,
      CHUNK,
      [2, 0].map((n) => older.parse(chunkRow(n))),
      older,
    );
    await writeTrainingSet(store, 'new.parquet', { ...grown, earlier: undefined, rows: [] });
    const rows = await readTable(store, 'new.parquet', trainingRowSchema);
    assert.deepEqual(
      rows,
      [0, 2].map((n) => ({ ...pick(n), change: null })),
    );
  });

  it('names its tables if one of them is not readable', async () => {
    const { store, grown } = await setUp();
    await store.put(CHUNK, 'no table');
    await assert.rejects(writeTrainingSet(store, 'new.parquet', grown), /earlier\.parquet or chunk\.parquet/);
  });
});
