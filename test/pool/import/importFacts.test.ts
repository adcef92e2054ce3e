import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ImportEntry, NO_FACTS } from '../../../formats/reading/importItem.js';
import { withTagFile } from '../../../formats/reading/tagFile.js';
import { keys } from '../../../storage/keys.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { openPool } from '../../../storage/pool/pool.js';
import { runImport, save } from '../../support/pictures/pictures.js';
import { memoryStore } from '../../support/standIns/memoryStore.js';
import { indexOf, item } from './items.js';

describe('tags, vehicle and split of an import', function () {
  this.timeout(60_000);

  it('takes tags, vehicle and split that come later, and older values do not come back', async () => {
    const store = memoryStore();
    await runImport(store, [item(1, 1)]);
    const facts = { tags: { black: true, angle: 45 as const }, vehicleId: 'v1', source: null, split: 'val' as const };
    const later = await runImport(store, [item(1, 1, { facts })]);
    assert.deepEqual([later.updated, later.known], [1, 0]);
    const newer = await runImport(store, [item(1, 1, { facts: { ...NO_FACTS, tags: { angle: 60 } } })]);
    assert.equal(newer.updated, 1);
    for (const entry of [item(1, 1), item(1, 1, { facts })])
      assert.deepEqual((await runImport(store, [entry])).known, 1);
    const [row] = await indexOf(store);
    assert.deepEqual([row?.black, row?.angle, row?.vehicleId, row?.split], [true, 60, 'v1', 'val']);
    assert.deepEqual(JSON.parse(row?.tagOrigins ?? ''), { black: 'given', angle: 'given' });
  });

  it('moves an image to the test split if the import says so, and explains the consequences', async () => {
    const store = memoryStore();
    await runImport(store, [item(1, 1, { facts: { ...NO_FACTS, split: 'train' } })]);
    const whole = await runImport(store, [item(1, 1)], { test: true });
    assert.match(whole.refused[0]?.reason ?? '', /in the pool's train split as 1\.jpg/);
    const moved = await runImport(store, [item(1, 1, { facts: { ...NO_FACTS, split: 'test' } })]);
    assert.deepEqual([moved.updated, moved.movedToTest], [1, ['1.jpg']]);
    assert.equal((await runImport(store, [item(1, 1)])).known, 1);
    const back = await runImport(store, [item(1, 1, { facts: { ...NO_FACTS, split: 'val' } })]);
    assert.match(back.refused[0]?.reason ?? '', /test data cannot become training data/);
    const relabelled = await runImport(store, [item(1, 2)]);
    assert.match(relabelled.refused[0]?.reason ?? '', /in the pool's test split/);
  });

  it('reports images that it moved to the test split, even if another import changes them right after', async () => {
    const memory = memoryStore();
    await runImport(memory, [item(1, 1, { facts: { ...NO_FACTS, split: 'train' } })]);
    const store: ObjectStore = {
      ...memory,
      async putIfAbsent(key, body, type) {
        const outcome = await memory.putIfAbsent(key, body, type);
        if (key !== keys.catalog('cars', 2)) return outcome;
        await (await openPool(memory, 'cars')).append((history) =>
          history.images().map((row) => ({ ...row, vehicleId: 'v1', labelRevision: 2, change: 'facts' })),
        );
        return outcome;
      },
    };
    const moved = await runImport(store, [item(1, 1, { facts: { ...NO_FACTS, split: 'test' } })]);
    assert.deepEqual([moved.updated, moved.movedToTest], [1, ['1.jpg']]);
    assert.equal((await indexOf(memory))[0]?.vehicleId, 'v1');
  });

  it('takes the tags of a tag file, and names its rows that fit no image', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'pl-'));
    try {
      const path = await save(folder, 'tags.csv', 'file_name,black\n1.jpg,true\n9.jpg,true\n');
      const entries = async function* (): AsyncGenerator<ImportEntry> {
        yield item(1, 1, { fileName: 'sub/1.jpg' });
      };
      const store = memoryStore();
      const { notices } = await runImport(store, await withTagFile(entries(), path));
      assert.equal((await indexOf(store))[0]?.black, true);
      assert.deepEqual(
        notices.map(({ examples }) => examples),
        [['9.jpg']],
      );
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('matches the last part of a name in a tag file only if a single image has it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'pl-'));
    try {
      const path = await save(folder, 'tags.csv', 'file_name,black\n1.jpg,true\n2.jpg,true\n3.jpg,true\n');
      const names = ['1.jpg', 'rear/1.jpg', 'a/2.jpg', 'b/2.jpg', 'c/3.jpg'];
      const entries = async function* (): AsyncGenerator<ImportEntry> {
        for (const [seed, fileName] of names.entries()) yield item(seed, 1, { fileName });
      };
      const store = memoryStore();
      const { notices } = await runImport(store, await withTagFile(entries(), path));
      const tagged = (await indexOf(store)).filter(({ black }) => black === true).map(({ fileName }) => fileName);
      assert.deepEqual(tagged.sort(), ['1.jpg', 'c/3.jpg']);
      assert.deepEqual(notices[0]?.examples, ['2.jpg']);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
