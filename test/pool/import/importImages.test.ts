import assert from 'node:assert/strict';
import sharp from 'sharp';
import { PartloopError } from '../../../domain/base/errors.js';
import { parseTaxonomy } from '../../../domain/taxonomy.js';
import { type ImportItem, NO_FACTS } from '../../../formats/reading/importItem.js';
import { changeRules } from '../../../pool/import/preparePool.js';
import { digestOfTaxonomy } from '../../../storage/digest.js';
import { keys } from '../../../storage/keys.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { encodeLabel } from '../../../storage/pictures/labelMask.js';
import { openPool } from '../../../storage/pool/pool.js';
import { runImport, TAXONOMY } from '../../support/pictures/pictures.js';
import { memoryStore } from '../../support/standIns/memoryStore.js';
import { indexOf, item, SIDE } from './items.js';

const labelsOf = async (store: ObjectStore) => (await indexOf(store)).map(({ classes }) => classes[0]);

/** A reviewer's correction of the only image: all `value`. */
async function review(store: ObjectStore, value: number): Promise<void> {
  const pool = await openPool(store, 'cars');
  const label = await encodeLabel(new Uint8Array(SIDE.width * SIDE.height).fill(value), SIDE.width, SIDE.height);
  const labelSha256 = String(value).repeat(64);
  await store.put(keys.label('cars', labelSha256), label);
  await pool.append((history) =>
    history.images().map((row) => ({
      ...row,
      labelSha256,
      labelUri: keys.label('cars', labelSha256),
      classes: [value],
      labelRevision: row.labelRevision + 1,
      change: 'review',
      changeId: 'r1',
    })),
  );
}

describe('an import into a pool', function () {
  this.timeout(60_000);

  it('always keeps the first of two equal pictures, and names the conflict', async () => {
    const store = memoryStore();
    const copy = item(1, 2, { fileName: 'copy.jpg', image: item(1, 1).image });
    const slow = item(1, 1, {
      label: async () =>
        new Promise((done) => setTimeout(done, 50, { pixels: new Uint8Array(384).fill(1), notes: [] })),
    });
    for (let again = 0; again < 3; again++) {
      const { refused, version } = await runImport(store, [slow, copy]);
      assert.deepEqual(refused, [
        { fileName: 'copy.jpg', reason: 'duplicate of 1.jpg with another label: the first one counts' },
      ]);
      assert.equal(version, 1);
    }
    assert.deepEqual(await labelsOf(store), [1]);
  });

  it('counts added images per split, and how many it drew for validation', async () => {
    const given = (split: 'train' | 'val' | 'test', at: number) => item(at, 1, { facts: { ...NO_FACTS, split } });
    const said = [given('train', 1), given('val', 2), given('val', 3), given('test', 4)];
    const { split } = await runImport(memoryStore(), said);
    assert.deepEqual(split, { train: 1, val: 2, test: 1, drawn: 0 });

    const store = memoryStore();
    const many = Array.from({ length: 200 }, (_, at) => item(at, 1));
    const first = await runImport(store, many);
    const drawn = (await indexOf(store)).filter((row) => row.split === 'val').length;
    assert.ok(drawn > 0);
    assert.deepEqual(first.split, { train: 200 - drawn, val: drawn, test: 0, drawn });
    assert.deepEqual((await runImport(store, many)).split, { train: 0, val: 0, test: 0, drawn: 0 });
  });

  it('knows every label that an image ever had, and counts labels that it replaces', async () => {
    const store = memoryStore();
    assert.equal((await runImport(store, [item(1, 1)])).added, 1);
    const changed = await runImport(store, [item(1, 2)]);
    assert.deepEqual([changed.added, changed.replaced], [0, 1]);
    const again = await runImport(store, [item(1, 1)]);
    assert.deepEqual([again.known, again.replaced, again.version], [1, 0, 2]);
    assert.deepEqual(await labelsOf(store), [2]);
    const meant = await runImport(store, [item(1, 1)], { relabel: true });
    assert.equal(meant.replaced, 1);
    assert.deepEqual(await labelsOf(store), [1]);
  });

  it('knows a label by its pixels, however an encoder wrote them', async () => {
    const store = memoryStore();
    await runImport(store, [item(1, 1)]);
    const [row] = await indexOf(store);
    assert.ok(row);
    const other = await sharp(new Uint8Array(384).fill(2), { raw: { ...SIDE, channels: 1 } })
      .toColourspace('b-w')
      .png({ compressionLevel: 1, adaptiveFiltering: true })
      .toBuffer();
    const labelSha256 = 'e'.repeat(64);
    await store.put(keys.label('cars', labelSha256), other);
    const pool = await openPool(store, 'cars');
    const older = { ...row, labelSha256, classes: [2], labelRevision: 1, change: 'relabel' as const };
    await pool.append(() => [older]);
    const { known, replaced } = await runImport(store, [item(1, 2)]);
    assert.deepEqual([known, replaced], [1, 0]);
  });

  it('does not undo a correction that restored an earlier label', async () => {
    const store = memoryStore();
    await runImport(store, [item(1, 1)]);
    await review(store, 2);
    const [first] = await indexOf(store);
    assert.ok(first);
    const pool = await openPool(store, 'cars');
    const [original] = (await pool.history()).revisions(first.imageId);
    assert.ok(original);
    await pool.append(() => [{ ...original, labelRevision: 2, change: 'review', changeId: 'r2' }]);
    const { known, replaced, kept } = await runImport(store, [item(1, 3)]);
    assert.deepEqual([known, replaced, kept.length], [1, 0, 1]);
    assert.deepEqual(await labelsOf(store), [1]);
  });

  it('does not undo a correction by a reviewer, neither with the old label nor with another one', async () => {
    const store = memoryStore();
    await runImport(store, [item(1, 1)]);
    await review(store, 3);
    const old = await runImport(store, [item(1, 1)]);
    assert.deepEqual([old.known, old.kept], [1, []]);
    const other = await runImport(store, [item(1, 2)]);
    assert.deepEqual([other.known, other.replaced], [1, 0]);
    assert.match(other.kept[0]?.reason ?? '', /a reviewer corrected its label: --relabel/);
    assert.deepEqual(await labelsOf(store), [3]);
    assert.equal((await runImport(store, [item(1, 2)], { relabel: true })).replaced, 1);
    assert.deepEqual(await labelsOf(store), [2]);
  });

  it('refuses an image alone for any fault of its own', async () => {
    const store = memoryStore();
    const broken = [
      item(2, 1, { image: { kind: 'bytes', read: async () => Promise.reject(new RangeError('out of range')) } }),
      item(3, 1, { label: async () => Promise.reject(new TypeError('undefined is not a function')) }),
      item(4, 1, { fileName: `${'x'.repeat(2_000)}.jpg` }),
      item(5, 1, { fileName: 'lone \ud800.jpg' }),
    ];
    const { added, refused } = await runImport(store, [...broken, item(1, 1)]);
    assert.deepEqual([added, refused.length], [1, 4]);
    assert.match(refused[0]?.reason ?? '', /out of range/);
  });

  it('keeps finished work when the store fails, and goes on from there', async () => {
    const store = memoryStore();
    const fault = new PartloopError('store-unavailable', 'the store does not answer');
    const failing = item(99, 1, { image: { kind: 'bytes', read: () => Promise.reject(fault) } });
    const items = [1, 2, 3, 4].map((seed) => item(seed, 1));
    await assert.rejects(runImport(store, [...items, failing]), (error: PartloopError) => {
      assert.equal(error.code, 'store-unavailable');
      assert.match(error.message, /4 images are already in pool cars, version 1/);
      assert.match(error.hint ?? '', /Run the same command again/);
      return true;
    });
    const { added, known } = await runImport(store, [...items, item(5, 1)]);
    assert.deepEqual([added, known], [1, 4]);
  });

  it('leaves no pool if it added nothing, and a pool without images fixes no taxonomy', async () => {
    const store = memoryStore();
    const bad = item(1, 1, { image: { kind: 'bytes', read: async () => Buffer.from('no picture') } });
    assert.deepEqual((await runImport(store, [bad])).version, 0);
    assert.deepEqual(store.keys, []);
    await store.put(keys.taxonomy('cars'), JSON.stringify(TAXONOMY));
    const other = parseTaxonomy({ name: 'other', classes: [{ name: 'door', group: 'major' }] }, 'other');
    assert.equal((await runImport(store, [item(1, 1)], { taxonomy: other })).added, 1);
    assert.equal((await openPool(store, 'cars')).taxonomy.name, 'other');
  });

  it('leaves out removed images, does not store their bytes again, and restores them on request', async () => {
    const store = memoryStore();
    await runImport(store, [item(1, 1), item(2, 1)]);
    const pool = await openPool(store, 'cars');
    const [gone] = await indexOf(store);
    assert.ok(gone);
    const removedAt = '2026-01-02T00:00:00.000Z';
    await pool.append(() => [{ ...gone, labelRevision: 1, change: 'removal', changeId: 'purge', removedAt }]);
    await store.delete([gone.imageUri]);
    const again = await runImport(store, [item(1, 1), item(2, 1)]);
    assert.deepEqual([again.known, again.removed], [1, [gone.fileName]]);
    assert.equal(await store.head(gone.imageUri), null);
    const back = await runImport(store, [item(1, 1), item(2, 1)], { restore: true });
    assert.deepEqual([back.restored, back.known], [1, 1]);
    assert.notEqual(await store.head(gone.imageUri), null);
    assert.equal((await indexOf(store)).length, 2);
  });

  it('gives the same result whether several run at once or one after the other', async () => {
    const imports: [ImportItem[], boolean][] = [
      [[item(1, 1), item(2, 1)], false],
      [[item(1, 2), item(3, 1)], false],
      [[item(3, 1), item(4, 1)], true],
    ];
    const store = memoryStore();
    const reports = await Promise.all(imports.map(([items, test]) => runImport(store, items, { test })));
    const pool = await openPool(store, 'cars');
    const rows = await pool.readIndex(await pool.latestVersion());
    assert.deepEqual(rows.map(({ fileName }) => fileName).sort(), ['1.jpg', '2.jpg', '3.jpg', '4.jpg']);
    const third = rows.find(({ fileName }) => fileName === '3.jpg');
    const refused = reports.flatMap((report) => report.refused);
    if (third?.split === 'test') assert.equal(refused.length, 0);
    else assert.match(refused[0]?.reason ?? '', /in the pool's (train|val) split/);
    const history = await pool.history();
    const first = rows.find(({ fileName }) => fileName === '1.jpg');
    assert.deepEqual(
      history.revisions(first?.imageId ?? '').map(({ labelRevision }) => labelRevision),
      [0, 1],
    );
  });

  it('counts images whose label has no class', async () => {
    const { unlabelled, added } = await runImport(memoryStore(), [item(1, 0), item(2, 1)]);
    assert.deepEqual([added, unlabelled], [2, ['1.jpg']]);
  });

  it('reports sides without a mirror class, and rules that differ from those of the pool', async () => {
    const classes = [
      { name: 'left_door', group: 'major' as const },
      { name: 'right_door', group: 'major' as const },
    ];
    const store = memoryStore();
    const plain = parseTaxonomy({ name: 'doors', classes }, 'doors');
    const first = await runImport(store, [item(1, 1)], { taxonomy: plain });
    assert.match(first.notices[0]?.notice ?? '', /have no `mirror`/);
    const mirrored = parseTaxonomy(
      {
        name: 'doors',
        classes: [
          { ...classes[0], mirror: 'right_door' },
          { ...classes[1], mirror: 'left_door' },
        ],
      },
      'doors',
    );
    const second = await runImport(store, [item(1, 1)], { taxonomy: mirrored });
    assert.deepEqual(second.notices[0]?.examples, ['left_door (mirror)', 'right_door (mirror)']);
    const before = digestOfTaxonomy((await openPool(store, 'cars')).taxonomy);
    assert.equal(await changeRules(store, 'cars', mirrored), 'changed');
    assert.equal(await changeRules(store, 'cars', mirrored), 'same');
    const { taxonomy } = await openPool(store, 'cars');
    assert.equal(taxonomy.classes[0]?.mirror, 'right_door');
    assert.equal(digestOfTaxonomy(taxonomy), before, 'its models still fit');
    assert.deepEqual((await runImport(store, [item(1, 1)], { taxonomy: mirrored })).notices, []);
  });
});
