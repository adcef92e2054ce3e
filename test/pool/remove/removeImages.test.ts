import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { NO_FACTS } from '../../../formats/reading/importItem.js';
import { readImageList } from '../../../pool/remove/imageList.js';
import { listRemovals, removeImages, restoreImages } from '../../../pool/remove/removeImages.js';
import { selectImages } from '../../../pool/remove/select.js';
import { openPool } from '../../../storage/pool/pool.js';
import { runImport, save, TAXONOMY } from '../../support/pictures/pictures.js';
import { memoryStore } from '../../support/standIns/memoryStore.js';
import { imageIdOf, item, NOW, named, namesOf, planOf, review, where } from './kit.js';

async function pool(count = 4) {
  const store = memoryStore();
  await runImport(
    store,
    Array.from({ length: count }, (_, at) => item(at + 1, 1 + (at % 3))),
  );
  return { store, pool: await openPool(store, 'cars') };
}

describe('removing images from a pool', function () {
  this.timeout(60_000);

  it('takes them out of the newest version but not of earlier ones', async () => {
    const { pool: cars } = await pool();
    const before = await cars.latestVersion();
    const removed = await removeImages(cars, [await imageIdOf(2)], { purge: false, now: NOW });
    assert.deepEqual([removed.images, removed.version], [1, before + 1]);
    assert.deepEqual(await namesOf(cars), ['front/1.jpg', 'front/3.jpg', 'front/4.jpg']);
    assert.equal((await cars.readIndex(removed.version)).length, 3);
    assert.equal((await cars.readIndex(before)).length, 4);
  });

  it('changes nothing the second time', async () => {
    const { pool: cars } = await pool();
    const { version } = await removeImages(cars, [await imageIdOf(2)], { purge: false, now: NOW });
    const again = await removeImages(cars, [await imageIdOf(2)], { purge: false, now: NOW });
    assert.deepEqual(again, { version, removal: null, images: 0 });
  });

  it('gives the same result whether two people remove at once or one after the other', async () => {
    const { store } = await pool();
    const ids = await Promise.all([1, 2, 3].map(imageIdOf));
    const [one, two] = [await openPool(store, 'cars'), await openPool(store, 'cars')];
    const both = await Promise.all([
      removeImages(one, ids.slice(0, 2), { purge: false, now: NOW }),
      removeImages(two, ids.slice(1), { purge: false, now: NOW }),
    ]);
    assert.equal(both[0].images + both[1].images, 3);
    assert.deepEqual(await namesOf(one), ['front/4.jpg']);
  });

  it('keeps the newest human answer, and a restoration brings it back', async () => {
    const { store, pool: cars } = await pool();
    const imageId = await imageIdOf(1);
    await review(store, imageId, 3);
    const { removal } = await removeImages(cars, [imageId], { purge: false, now: NOW });
    assert.ok(removal !== null);
    assert.deepEqual(listRemovals((await cars.history()).removed()), {
      removals: [{ removal, removedAt: NOW.toISOString(), images: 1 }],
      purged: 0,
    });
    assert.equal((await restoreImages(cars, [imageId], NOW)).images, 1);
    const row = (await cars.history()).latest(imageId);
    assert.deepEqual([row?.classes, row?.removedAt, row?.change], [[3], null, 'restore']);
    const { version } = await restoreImages(cars, [imageId], NOW);
    assert.equal(version, await cars.latestVersion());
    assert.deepEqual((await runImport(store, [item(1, 1)])).known, 1);
    assert.deepEqual((await cars.history()).latest(imageId)?.classes, [3]);
  });

  it('keeps them out of later imports, by name, until somebody asks for them', async () => {
    const { store, pool: cars } = await pool();
    await removeImages(cars, [await imageIdOf(1)], { purge: false, now: NOW });
    const again = await runImport(store, [item(1, 2)]);
    assert.deepEqual([again.removed, again.added + again.replaced + again.restored], [['front/1.jpg'], 0]);
    assert.equal((await runImport(store, [item(1, 1)], { restore: true })).restored, 1);
    assert.equal((await namesOf(cars)).length, 4);
  });

  it('chooses by id, short id, name, last part of a name and conditions, and names unknown ones', async () => {
    const store = memoryStore();
    const twin = item(3, 1, { fileName: 'back/1.jpg' });
    const [tagged, plain] = [item(2, 1, { facts: { ...NO_FACTS, vehicleId: 'v1' } }), item(1, 2)];
    await runImport(store, [plain, tagged, twin, item(4, 3, { fileName: 'cafe\u0301.jpg' })]);
    const history = await (await openPool(store, 'cars')).history();
    const id = await imageIdOf(1);
    const select = (choice: Parameters<typeof selectImages>[2]) => {
      const { present, unknown, ambiguous } = selectImages(history, TAXONOMY, choice);
      return { names: present.map(({ fileName }) => fileName).sort(), unknown, ambiguous };
    };
    const only = (...names: string[]) => ({ names, unknown: [], ambiguous: [] });
    assert.deepEqual(select(named(id)), only('front/1.jpg'));
    assert.deepEqual(select(named(id.slice(0, 12))), only('front/1.jpg'));
    assert.deepEqual(select(named('front/1.jpg', ' 2.jpg ')), only('front/1.jpg', 'front/2.jpg'));
    assert.deepEqual(select(named('caf\u00e9.jpg')), only('cafe\u0301.jpg'));
    assert.deepEqual(select(named('none.jpg')), { names: [], unknown: ['none.jpg'], ambiguous: [] });
    const ids = [await imageIdOf(1), await imageIdOf(3)].sort();
    const { ambiguous } = select(named('1.jpg'));
    assert.deepEqual([ambiguous[0]?.name, ambiguous[0]?.ids.toSorted()], ['1.jpg', ids]);
    assert.deepEqual(select(where('vehicleId=v1')), only('front/2.jpg'));
    assert.deepEqual(select(where('fileName~front/*', 'classes=wheel')), only('front/1.jpg'));
    assert.deepEqual(select({ names: ['2.jpg', 'front/1.jpg'], conditions: ['vehicleId='] }), only('front/1.jpg'));
  });

  it('selects by the time when an image first came in', async () => {
    const { store, pool: cars } = await pool(1);
    await review(store, await imageIdOf(1), 3);
    const { present } = selectImages(await cars.history(), TAXONOMY, where('ingestedAt<2026-01-02'));
    assert.equal(present.length, 1);
  });

  it('counts images before it touches any', async () => {
    const { store, pool: cars } = await pool();
    await review(store, await imageIdOf(1), 3);
    await removeImages(cars, [await imageIdOf(4)], { purge: false, now: NOW });
    const version = await cars.latestVersion();
    const plan = await planOf(store, named('front/1.jpg', 'front/2.jpg', 'front/4.jpg', 'x'));
    const { train, val, test } = plan.splits;
    assert.deepEqual([plan.imageIds.length, train + val + test, plan.corrected], [2, 2, 1]);
    assert.deepEqual([plan.removedBefore, plan.unknown, plan.version], [1, ['x'], version]);
    assert.equal(await cars.latestVersion(), version);
  });

  it('loses no revision and no human answer in any sequence of imports, reviews, removals and restores', async () => {
    const step = fc.record({
      kind: fc.constantFrom('import', 'review', 'remove', 'restore'),
      value: fc.integer({ min: 1, max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
        const { store, pool: cars } = await pool(1);
        const imageId = await imageIdOf(1);
        let answer: number | null = null;
        let rows = 1;
        for (const { kind, value } of steps) {
          const isOut = (await cars.history()).latest(imageId)?.removedAt !== null;
          if (kind === 'import') await runImport(store, [item(1, value)]);
          if (kind === 'review' && !isOut) {
            await review(store, imageId, value);
            answer = value;
          }
          if (kind === 'remove') await removeImages(cars, [imageId], { purge: false, now: NOW });
          if (kind === 'restore') await restoreImages(cars, [imageId], NOW);
          const history = await cars.history();
          const known = history.revisions(imageId);
          assert.ok(known.length >= rows);
          rows = known.length;
          assert.deepEqual(
            known.map(({ labelRevision }) => labelRevision),
            known.map((_, at) => at),
          );
          if (answer !== null) assert.deepEqual(history.latest(imageId)?.classes, [answer]);
          assert.equal(history.images().length, history.latest(imageId)?.removedAt === null ? 1 : 0);
        }
      }),
      { numRuns: 25 },
    );
  });
});

describe('a file of images to remove', function () {
  this.timeout(60_000);
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pl-images-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));
  const read = async (name: string, body: string, list?: string): Promise<string[]> =>
    readImageList(await save(folder, name, body), list);

  it('has one id or name per line', async () => {
    assert.deepEqual(await read('a.txt', '\uFEFFfront/1.jpg\r\n\r\na, b;c.jpg\nfront/1.jpg\n'), [
      'front/1.jpg',
      'a, b;c.jpg',
    ]);
    assert.deepEqual(await read('b.txt', '[old]/1.jpg\n'), ['[old]/1.jpg']);
  });

  it('may be a CSV table, which counts by its ids rather than its names', async () => {
    assert.deepEqual(await read('a.csv', 'file_name,reason\n"a, b.jpg",bad\nc.jpg,gone\n'), ['a, b.jpg', 'c.jpg']);
    assert.deepEqual(await read('b.csv', 'file_name,image_id\na.jpg,1\nb.jpg,2\n'), ['1', '2']);
    assert.deepEqual(await read('c.csv', 'image_id\n1\n2\n'), ['1', '2']);
  });

  it('may be JSON as commands and steps print it', async () => {
    const leftOut = [{ imageId: '1', fileName: 'a.jpg', kind: 'gone', reason: 'x' }];
    assert.deepEqual(await read('a.json', JSON.stringify(leftOut)), ['1']);
    assert.deepEqual(await read('b.json', JSON.stringify({ missing: leftOut, leftOut: { interior: 1 } })), ['1']);
    assert.deepEqual(await read('c.json', JSON.stringify(['a.jpg', 'b.jpg'])), ['a.jpg', 'b.jpg']);
    const report = {
      refused: [{ fileName: 'a.jpg', reason: 'x' }],
      unlabelled: ['b.jpg'],
      removed: [],
      notices: [{ notice: 'n' }],
    };
    await assert.rejects(read('d.json', JSON.stringify(report)), /several lists: refused \(1\), unlabelled \(1\)/);
    assert.deepEqual(await read('d.json', JSON.stringify(report), 'unlabelled'), ['b.jpg']);
  });

  it('is refused if it names no image', async () => {
    await assert.rejects(read('a.txt', '\n'), /names no image/);
    await assert.rejects(read('a.json', '{"version":1}'), /has no list of images/);
    await assert.rejects(read('a.json', '[1]'), /entry 1 names no image/);
    await assert.rejects(readImageList(join(folder, 'none')), /cannot be read/);
    await assert.rejects(readImageList(folder), /is not a file/);
  });
});
