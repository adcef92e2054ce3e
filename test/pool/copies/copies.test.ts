import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { z } from 'zod';
import { createDrawActivities } from '../../../activities/draw.js';
import { loopConfigSchema } from '../../../domain/config.js';
import { testCopiesSchema } from '../../../domain/draw/drawn.js';
import type { DrawResult } from '../../../domain/draw/step.js';
import { TestSet } from '../../../domain/draw/testSet.js';
import { LEFT_OUT_REASONS, leftOutOfScan } from '../../../domain/scan/export.js';
import type { StepResults } from '../../../domain/steps.js';
import { chunkRowSchema } from '../../../domain/tables.js';
import { copyGuard } from '../../../pool/copies/copyGuard.js';
import { Thumbnails } from '../../../pool/copies/thumbnails.js';
import { DECODE_HERE } from '../../../pool/import/decoder.js';
import { importImages } from '../../../pool/import/importImages.js';
import { writeIngestRules } from '../../../pool/ingest/rules.js';
import { encodeLabel } from '../../../storage/pictures/labelMask.js';
import { openPool } from '../../../storage/pool/pool.js';
import { readJson } from '../../../storage/tables/json.js';
import { readTable } from '../../../storage/tables/table.js';
import { ROOT } from '../../support/binaries.js';
import { runImport, TAXONOMY } from '../../support/pictures/pictures.js';
import { memoryStore } from '../../support/standIns/memoryStore.js';
import { stepResult } from '../../support/standIns/stepResult.js';
import { indexOf } from '../import/items.js';
import { put, receiptOf } from '../ingest/kit.js';
import { cars, entry, SAVED_AGAIN, SIDE } from './kit.js';

const HOME = mkdtempSync(join(tmpdir(), 'pl-copies-'));
after(() => rmSync(HOME, { recursive: true, force: true }));

type Store = ReturnType<typeof memoryStore>;

/** An import that does not look for copies, as imports of old did. */
const importAll = (store: Store, entries: Parameters<typeof runImport>[1]) =>
  importImages(store, 'cars', TAXONOMY, entries, {
    ...{ onProgress: () => undefined, now: new Date('2026-01-01T00:00:00Z') },
    guard: async () => new Map(),
  });

const namesOf = async (store: Store): Promise<string[]> =>
  (await indexOf(store)).map(({ fileName }) => fileName).sort();

const [again, smaller] = [SAVED_AGAIN['as a poorer JPEG'], SAVED_AGAIN['half as large']] as [Save, Save];
type Save = (picture: Buffer) => Promise<Buffer>;

/** A picture in all ways in which it is saved again. */
const copiesOf = async (picture: Buffer) =>
  Promise.all(Object.entries(SAVED_AGAIN).map(async ([how, save]) => ({ how, picture: await save(picture) })));

describe('a test image, saved again', function () {
  this.timeout(120_000);
  let pictures: Buffer[];
  before(async () => {
    pictures = await cars(8);
  });

  it('is refused as a training image by an import, which names the test image', async () => {
    const store = memoryStore();
    await runImport(
      store,
      pictures.map((picture, at) => entry(`test-${at}.jpg`, picture, at < 4 ? 'test' : 'train')),
    );
    for (const [at, picture] of pictures.slice(0, 4).entries()) {
      const copies = await copiesOf(picture);
      const { added, refused } = await runImport(
        store,
        copies.map(({ how, picture: copy }) => entry(`${how} ${at}.jpg`, copy, 'train')),
      );
      assert.equal(added, 0);
      for (const { reason } of refused)
        assert.match(reason, new RegExp(`^it is a copy of a test image: test-${at}\\.jpg \\([0-9a-f]{12}\\)$`));
      assert.equal(refused.length, copies.length);
    }
    assert.equal((await indexOf(store)).length, pictures.length);
  });

  it('is refused in the import that brings the test image, and is no bar to one of a training image', async () => {
    const store = memoryStore();
    const [test, train] = pictures as [Buffer, Buffer];
    const { refused } = await runImport(store, [
      entry('copy.jpg', await again(test), 'train'),
      entry('test.jpg', test, 'test'),
      entry('train.jpg', train, 'train'),
      entry('train-again.jpg', await again(train), 'train'),
      entry('test-again.jpg', await smaller(test), 'test'),
    ]);
    assert.deepEqual(
      refused.map(({ fileName }) => fileName),
      ['copy.jpg'],
    );
    assert.deepEqual(await namesOf(store), ['test-again.jpg', 'test.jpg', 'train-again.jpg', 'train.jpg']);
  });

  it('stays in a pool that has it: new facts of it are taken', async () => {
    const store = memoryStore();
    const [test] = pictures as [Buffer];
    const copy = await smaller(test);
    await importAll(store, [entry('test.jpg', test, 'test'), entry('copy.jpg', copy, 'train')]);
    const { updated, refused } = await runImport(store, [entry('copy.jpg', copy, 'train', 'v7')]);
    assert.deepEqual([updated, refused], [1, []]);
  });

  it('is kept out of a drop, unless the rules take what is never drawn', async () => {
    const store = memoryStore();
    await runImport(
      store,
      pictures.map((picture, at) => entry(`test-${at}.jpg`, picture, at < 4 ? 'test' : 'train')),
    );
    const send = async (drop: string): Promise<void> => {
      const lines: string[] = [];
      for (const [at, { picture }] of (await copiesOf(pictures[0] as Buffer)).entries()) {
        const side = at === 1 ? SIDE / 2 : SIDE;
        lines.push(JSON.stringify({ image: `copy-${at}.jpg`, label: `copy-${at}.png` }));
        await put(store, drop, `copy-${at}.jpg`, picture);
        await put(store, drop, `copy-${at}.png`, await encodeLabel(new Uint8Array(side * side).fill(1), side, side));
      }
      await put(store, drop, 'manifest.jsonl', lines.join('\n'));
      await put(store, drop, '_COMPLETE', '');
    };
    await send('d1');
    const refused = await receiptOf(store, 'd1');
    const count = Object.keys(SAVED_AGAIN).length;
    assert.deepEqual([refused.added, refused.refused], [0, count]);
    assert.deepEqual(
      refused.reasons.map(({ reason, count }) => [reason.replace(/\(.*/, ''), count]),
      [['it is a copy of a test image: test-0.jpg ', count]],
    );
    await writeIngestRules(store, await openPool(store, 'cars'), { leaks: 'accept' });
    await send('d2');
    assert.equal((await receiptOf(store, 'd2')).added, count);
  });

  it('is let in if the test image cannot be read, and a fault of the store is nobody’s fault', async () => {
    const store = memoryStore();
    const [test] = pictures as [Buffer];
    await importAll(store, [entry('test.jpg', test, 'test'), entry('copy.jpg', await again(test), 'train')]);
    const rows = await indexOf(store);
    const testRow = rows.find(({ split }) => split === 'test');
    const copyRow = rows.find(({ split }) => split === 'train');
    assert.ok(testRow && copyRow);
    const history = await (await openPool(store, 'cars')).history();
    const { thumbnail } = await DECODE_HERE.picture(Buffer.from(await again(test)), '');
    const incoming = [{ row: copyRow, thumbnail, isNew: true }];
    const ask = () => {
      const thumbnails = new Thumbnails(store, DECODE_HERE);
      return copyGuard(thumbnails)(history, incoming).then((refused) => [refused.size, thumbnails.unreadable.size]);
    };
    assert.deepEqual(await ask(), [1, 0]);
    await store.put(testRow.imageUri, 'no picture');
    assert.deepEqual(await ask(), [0, 1]);
    await store.delete([testRow.imageUri]);
    assert.deepEqual(await ask(), [0, 1]);
  });
});

describe('a draw from a pool that has copies of test images', function () {
  this.timeout(120_000);
  let pictures: Buffer[];
  before(async () => {
    pictures = await cars(8);
  });

  /** Two test images, copies of them that their hashes do not tell, and six others. */
  async function poolWithCopies() {
    const store = memoryStore();
    const entries = pictures.map((picture, at) => entry(`${at}.jpg`, picture, at < 2 ? 'test' : 'train'));
    for (const [at, picture] of pictures.slice(0, 2).entries())
      for (const { how, picture: copy } of await copiesOf(picture))
        entries.push(entry(`${at} ${how}.jpg`, copy, 'train'));
    await importAll(store, entries);
    const rows = await indexOf(store);
    const test = TestSet.ofRows(rows);
    const hidden = rows.filter(
      (row) => row.split === 'train' && row.fileName.includes(' ') && test.shares(row) === null,
    );
    assert.ok(hidden.length > 0, 'the hashes tell all copies');
    const copies = rows.filter((row) => row.split === 'train' && row.fileName.includes(' '));
    return { store, hidden, copies, deps: { store, home: HOME, root: ROOT, log: pino({ level: 'silent' }) } };
  }

  const context = (chunkSize: number, iteration = 1, draw: DrawResult | null = null) => ({
    ...{ loop: 'cars', iteration, force: null },
    config: loopConfigSchema.parse({ pool: 'cars', chunkSize, sample: { share: 1 }, scan: { folds: 2 } }),
    previous:
      draw === null
        ? null
        : {
            draw,
            ...{ scan: stepResult('scan'), sample: stepResult('sample') },
            ...{ train: stepResult('train'), evaluate: stepResult('evaluate') },
          },
  });
  const namesIn = async (store: Store, draw: DrawResult): Promise<string[]> =>
    (await readTable(store, draw.outputs.chunk ?? '', chunkRowSchema)).map(({ fileName }) => fileName).sort();
  const results: StepResults = {};

  it('leaves them out, fills their places with others, and remembers them', async () => {
    const { store, hidden, copies, deps } = await poolWithCopies();
    const { draw, countUndrawn } = createDrawActivities(deps);
    const first = await draw({ context: context(4), results });
    const drawn = await namesIn(store, first);
    assert.equal(drawn.length, 4);
    assert.deepEqual(
      drawn.filter((name) => name.includes(' ')),
      [],
    );
    const second = await draw({ context: context(100, 2, first), results });
    assert.deepEqual(
      [...drawn, ...(await namesIn(store, second))].sort(),
      [2, 3, 4, 5, 6, 7].map((at) => `${at}.jpg`),
    );
    const { testCopies } = await readJson(store, second.outputs.missing ?? '', testCopiesSchema);
    assert.deepEqual(
      testCopies.map(({ fileName, testFileName }) => [fileName, testFileName]).sort(),
      hidden.map(({ fileName }) => [fileName, `${fileName[0]}.jpg`]).sort(),
    );
    assert.equal(second.facts.heldBack, copies.length);
    const leftOut = leftOutOfScan(await indexOf(store), [], { missing: [], testCopies }, 'train');
    for (const { fileName } of hidden) {
      const found = leftOut.find(({ file_name }) => file_name === fileName);
      assert.deepEqual([found?.reason, found?.detail], [LEFT_OUT_REASONS.testCopy, `of ${fileName[0]}.jpg`]);
    }
    const { poolImages = 0, otherTest = 0, heldBack = 0, drawnBefore = 0, remaining = 0 } = second.facts;
    assert.equal(poolImages, otherTest + heldBack + drawnBefore + remaining + (second.facts.drawn ?? 0));
    const undrawn = await countUndrawn({ loop: 'cars', pool: 'cars' });
    assert.ok(undrawn.undrawn >= 6, 'a loop without iterations has drawn nothing');
  });

  it('reads no picture but those whose hash is close to a test image’s', async () => {
    const store = memoryStore();
    await runImport(
      store,
      pictures.map((picture, at) => entry(`${at}.jpg`, picture, at < 2 ? 'test' : 'train')),
    );
    store.read.length = 0;
    const deps = { store, home: HOME, root: ROOT, log: pino({ level: 'silent' }) };
    await createDrawActivities(deps).draw({ context: context(100), results });
    assert.deepEqual(
      store.read.filter((key) => key.includes('/images/')),
      [],
    );
  });

  it('does not fail over pictures that it cannot read: it says which were not compared', async () => {
    const { store, hidden, deps } = await poolWithCopies();
    const [broken] = hidden;
    assert.ok(broken);
    await store.put(broken.imageUri, 'no picture');
    const draw = await createDrawActivities(deps).draw({ context: context(100), results });
    const names = await namesIn(store, draw);
    assert.deepEqual(
      names.filter((name) => name.includes(' ')),
      [broken.fileName],
    );
    const schema = z.object({ notCompared: z.array(z.object({ fileName: z.string(), kind: z.string() })) });
    const { notCompared } = await readJson(store, draw.outputs.missing ?? '', schema);
    assert.deepEqual(notCompared, [{ fileName: broken.fileName, kind: 'changed' }]);
  });
});
