import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import { columnsOf, type DrawColumns, newestOf } from '../../domain/draw/drawColumns.js';
import { drawRowSchema, type IndexRow, indexRowSchema } from '../../domain/tables.js';
import { dsmlr18 } from '../../domain/taxonomies/dsmlr18.js';
import { keys } from '../../storage/keys.js';
import { openPool } from '../../storage/pool/pool.js';
import type { PoolHistory } from '../../storage/pool/poolHistory.js';
import { readTable, writeTable } from '../../storage/tables/table.js';
import { flipped } from '../support/pictures/flipped.js';
import { memoryStore } from '../support/standIns/memoryStore.js';
import { indexRow } from './rows.js';

/** Columns as rows, so that it does not matter how vehicles are numbered. */
const decoded = ({ ids, high, low, split, interior, vehicle, vehicles }: DrawColumns) =>
  Array.from({ length: ids.count }, (_, row) => [
    ...[ids.at(row), high[row], low[row], split[row], interior[row]],
    vehicles[vehicle[row] as number] ?? null,
  ]);

async function newPool() {
  const store = memoryStore();
  await store.put(keys.taxonomy('cars'), JSON.stringify(dsmlr18));
  return { store, pool: await openPool(store, 'cars') };
}

describe('a pool', function () {
  this.timeout(60_000);

  it('keeps its earlier versions as they were', async () => {
    const { pool } = await newPool();
    assert.equal(await pool.latestVersion(), 0);
    assert.equal((await pool.append(() => [indexRow(1), indexRow(2)])).version, 1);
    assert.equal((await pool.append(() => [indexRow(3)])).version, 2);
    assert.equal((await pool.readIndex(1)).length, 2);
    assert.equal((await pool.readIndex(2)).length, 3);
    assert.deepEqual(await pool.readIndex(0), []);
  });

  it('shows the latest revision of a label, whichever came in first', async () => {
    const { pool } = await newPool();
    await pool.append(() => [indexRow(1, { labelRevision: 1, labelSha256: 'b'.repeat(64) })]);
    await pool.append(() => [indexRow(1, { labelRevision: 0 })]);
    const [row] = await pool.readIndex(await pool.latestVersion());
    assert.equal(row?.labelRevision, 1);
  });

  it('gives the same for some columns or images as for all, also from segments older than a column', async () => {
    const { store, pool } = await newPool();
    await pool.append(() => [indexRow(1), indexRow(2, { labelRevision: 0 }), indexRow(3)]);
    await pool.append(() => [
      indexRow(2, { labelRevision: 1, split: 'test' }),
      indexRow(3, { labelRevision: 5, removedAt: 'now' }),
    ]);
    const { key } =
      z
        .object({ segments: z.array(z.object({ key: z.string() })) })
        .parse(JSON.parse(new TextDecoder().decode((await store.get(keys.catalog('cars', 1))).body))).segments[0] ?? {};
    assert.ok(key !== undefined);
    const before = indexRowSchema.omit({ change: true, changeId: true, removedAt: true });
    await writeTable(store, key, await readTable(store, key, before), before);
    const whole = await pool.readIndex(2);
    assert.deepEqual(
      whole.map(({ imageId, split }) => [imageId, split]),
      [indexRow(1), indexRow(2, { split: 'test' })].map(({ imageId, split }) => [imageId, split]).sort(),
    );
    assert.deepEqual(
      await pool.readColumns(2, drawRowSchema),
      whole.map((row) => drawRowSchema.parse(row)),
    );
    assert.deepEqual(decoded(await pool.readDrawColumns(2)), decoded(newestOf(columnsOf(whole))));
    assert.equal((await pool.countImages(2)).images, 2);
    const [first, second] = whole;
    assert.ok(first !== undefined && second !== undefined);
    assert.deepEqual(await pool.readImages(2, new Set([second.imageId, 'f'.repeat(64)])), [second]);
    assert.deepEqual(await pool.readImages(1, new Set()), []);
  });

  it('gives by column what it gives by row, whatever was told of its images in whatever order', async () => {
    const told = fc.record({
      number: fc.integer({ min: 0, max: 8 }),
      labelRevision: fc.integer({ min: 0, max: 4 }),
      split: fc.constantFrom('train' as const, 'val' as const, 'test' as const),
      region: fc.constantFrom('exterior' as const, 'interior' as const, null),
      vehicleId: fc.option(fc.constantFrom('', 'a', 'ü"\'')),
      perceptualHash: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((bits) => bits.toString(16).padStart(16, '0')),
      removedAt: fc.constantFrom(null, null, 'now'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(told, { maxLength: 6 }), { maxLength: 4 }), async (segments) => {
        const { pool } = await newPool();
        for (const rows of segments) await pool.append(() => rows.map(({ number, ...row }) => indexRow(number, row)));
        const version = await pool.latestVersion();
        const whole = await pool.readIndex(version);
        const read: number[] = [];
        const columns = await pool.readDrawColumns(version, (done, total) => read.push(done, total));
        assert.deepEqual(decoded(columns), decoded(columnsOf(whole)));
        const asked = [0, 1, 2, 3, 20].map((number) => indexRow(number).imageId);
        const states = [...(await pool.readStates(version, asked))];
        assert.deepEqual(
          states.map(([imageId, { split, region, labelRevision }]) => [imageId, split, region, labelRevision]),
          whole
            .filter(({ imageId }) => asked.includes(imageId))
            .map(({ imageId, split, region, labelRevision }) => [imageId, split, region, labelRevision]),
        );
        const rows = segments.flat().length;
        assert.deepEqual(read.slice(-2), rows === 0 ? [] : [rows, rows]);
      }),
      { numRuns: 30 },
    );
  });

  it('counts its images as their rows do, whatever was told of them', async () => {
    const told = fc.record({
      number: fc.integer({ min: 0, max: 8 }),
      labelRevision: fc.integer({ min: 0, max: 4 }),
      fileName: fc.constantFrom('a.jpg', 'ü"\'.jpg'),
      split: fc.constantFrom('train' as const, 'val' as const, 'test' as const),
      angle: fc.constantFrom(0, 15, null),
      black: fc.constantFrom(true, false, null),
      region: fc.constantFrom('interior' as const, null),
      vehicleId: fc.option(fc.constantFrom('', 'a', 'ü"\'')),
      classes: fc.constantFrom<number[]>([], [1], [1, 18]),
      removedAt: fc.constantFrom(null, null, 'now'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(told, { maxLength: 6 }), { maxLength: 4 }), async (segments) => {
        const { pool } = await newPool();
        for (const rows of segments) await pool.append(() => rows.map(({ number, ...row }) => indexRow(number, row)));
        const version = await pool.latestVersion();
        const whole = await pool.readIndex(version);
        const { images, vehicles, groups, unlabelled } = await pool.countImages(version);
        assert.equal(images, whole.length);
        assert.equal(vehicles, new Set(whole.flatMap(({ vehicleId }) => vehicleId ?? [])).size);
        const bare = whole.filter(({ classes }) => classes.length === 0).map(({ fileName }) => fileName);
        assert.deepEqual(unlabelled, { count: bare.length, examples: bare.slice(0, 5) });
        const keyOf = ({ split, angle, black, region }: Partial<IndexRow>, classes: readonly number[]): string =>
          JSON.stringify([split, angle, black, region, classes]);
        const counted = new Map<string, number>();
        for (const row of whole) {
          const key = keyOf(row, row.classes);
          counted.set(key, (counted.get(key) ?? 0) + 1);
        }
        assert.deepEqual(
          groups.map((group) => [keyOf(group.facts, group.classes), group.images]).sort(),
          [...counted].sort(),
        );
      }),
      { numRuns: 30 },
    );
  });

  it('tells of a row that no draw can read as of any other, by column too', async () => {
    for (const [name, value] of [
      ['imageId', 'A'.repeat(64)],
      ['perceptualHash', '0x0123456789abcd'],
      ['split', 'other'],
      ['region', 'inside'],
      ['labelRevision', -1],
      ['vehicleId', 7],
    ] as const) {
      const { store, pool } = await newPool();
      await pool.append(() => [indexRow(1)]);
      const { [name]: _, ...others } = indexRowSchema.shape;
      const type = typeof value === 'string' ? z.string() : z.number().int();
      const [key = ''] = store.keys.filter((one) => one.includes('/segments/'));
      await writeTable(store, key, [{ ...indexRow(2), [name]: value }], z.object({ ...others, [name]: type }));
      const isTold = (error: unknown) =>
        error instanceof PartloopError && error.code === 'data-invalid' && error.message.includes(name);
      await assert.rejects(pool.readIndex(1), isTold, name);
      await assert.rejects(pool.readDrawColumns(1), isTold, name);
      if (name === 'split' || name === 'region' || name === 'labelRevision')
        await assert.rejects(pool.readStates(1, [indexRow(2).imageId]), isTold, name);
    }
  });

  it('takes each row of racing writers once', async () => {
    const { store } = await newPool();
    const writers = await Promise.all(Array.from({ length: 4 }, () => openPool(store, 'cars')));
    const onlyNew = (rows: readonly IndexRow[]) => (history: PoolHistory) =>
      rows.filter((row) => history.latest(row.imageId) === undefined);
    await Promise.all(writers.map((pool, number) => pool.append(onlyNew([indexRow(number), indexRow(9)]))));
    const pool = await openPool(store, 'cars');
    const rows = await pool.readIndex(await pool.latestVersion());
    assert.deepEqual(rows.map(({ fileName }) => fileName).sort(), ['0.jpg', '1.jpg', '2.jpg', '3.jpg', '9.jpg']);
  });

  it('makes no version for a plan that has nothing to add', async () => {
    const { pool } = await newPool();
    await pool.append(() => [indexRow(1)]);
    assert.deepEqual(await pool.append(() => []), { version: 1, rows: [] });
    assert.equal(await pool.latestVersion(), 1);
  });

  it('repeats a plan on rows that another writer added first', async () => {
    const { store } = await newPool();
    const [one, two] = [await openPool(store, 'cars'), await openPool(store, 'cars')];
    const onTop = (labelSha256: string) => (history: PoolHistory) => [
      indexRow(1, { labelSha256, labelRevision: (history.latest(indexRow(1).imageId)?.labelRevision ?? -1) + 1 }),
    ];
    await Promise.all([one.append(onTop('a'.repeat(64))), two.append(onTop('b'.repeat(64)))]);
    const revisions = (await one.history()).revisions(indexRow(1).imageId);
    assert.deepEqual(
      revisions.map(({ labelRevision }) => labelRevision),
      [0, 1],
    );
    assert.notEqual(revisions[0]?.labelSha256, revisions[1]?.labelSha256);
  });

  it('leaves removed images out of its index, and remembers them', async () => {
    const { pool } = await newPool();
    await pool.append(() => [indexRow(1), indexRow(2)]);
    await pool.append(() => [
      indexRow(1, { labelRevision: 1, change: 'removal', removedAt: '2026-01-02T00:00:00.000Z' }),
    ]);
    assert.deepEqual(
      (await pool.readIndex(2)).map(({ fileName }) => fileName),
      ['2.jpg'],
    );
    assert.equal((await pool.readIndex(1)).length, 2);
    assert.equal((await pool.history()).revisions(indexRow(1).imageId).length, 2);
  });

  it('reads segments that are older than the record of changes', async () => {
    const { store, pool } = await newPool();
    const { change: _, changeId: __, removedAt: ___, ...older } = indexRowSchema.shape;
    await writeTable(store, keys.segment('cars', 'old'), [indexRow(1)], z.object(older));
    const catalog = { version: 1, segments: [{ key: keys.segment('cars', 'old'), rows: 1 }], createdAt: '' };
    await store.put(keys.catalog('cars', 1), JSON.stringify(catalog));
    const [row] = await pool.readIndex(1);
    assert.deepEqual([row?.fileName, row?.change, row?.removedAt], ['1.jpg', null, null]);
  });

  it('asks the store only once for a segment that it may cache', async () => {
    const { store } = await newPool();
    const cacheFolder = await mkdtemp(join(tmpdir(), 'pl-'));
    try {
      const pool = await openPool(store, 'cars', { cacheFolder });
      await pool.append(() => [indexRow(1), indexRow(2)]);
      const first = await pool.readIndex(1);
      const segments = store.keys.filter((key) => key.includes('/segments/'));
      await store.delete(segments);
      assert.deepEqual(await pool.readIndex(1), first);
      assert.deepEqual((await readdir(cacheFolder)).map((name) => name.replace(/^[0-9a-f]{64}/, '')).sort(), [
        '.parquet',
        '.parquet.sha256',
      ]);
    } finally {
      await rm(cacheFolder, { recursive: true, force: true });
    }
  });

  it('fetches a segment again if its cached copy changed', async () => {
    const { store } = await newPool();
    const cacheFolder = await mkdtemp(join(tmpdir(), 'pl-'));
    try {
      const pool = await openPool(store, 'cars', { cacheFolder });
      await pool.append(() => [indexRow(1), indexRow(2)]);
      const first = await pool.readIndex(1);
      const [copy = ''] = (await readdir(cacheFolder)).filter((name) => name.endsWith('.parquet'));
      const whole = await readFile(join(cacheFolder, copy));
      for (const spoiled of [flipped(whole, 8 * 40), whole.subarray(0, 100), new Uint8Array()]) {
        await writeFile(join(cacheFolder, copy), spoiled);
        assert.deepEqual(await pool.readIndex(1), first);
        assert.deepEqual(await readFile(join(cacheFolder, copy)), whole);
      }
    } finally {
      await rm(cacheFolder, { recursive: true, force: true });
    }
  });

  it('is reported with the names of existing pools if it does not exist', async () => {
    const { store } = await newPool();
    await assert.rejects(openPool(store, 'vans'), /there is no pool `vans`; pools: cars/);
  });
});
