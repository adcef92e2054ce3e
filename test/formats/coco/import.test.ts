import assert from 'node:assert/strict';
import { join } from 'node:path';
import { dsmlr18 } from '../../../domain/taxonomies/dsmlr18.js';
import { readCoco } from '../../../formats/coco/import.js';
import { openPool } from '../../../storage/pool/pool.js';
import { dsmlrTestSet } from '../../support/pictures/photos.js';
import { picture, runImport, save, TAXONOMY } from '../../support/pictures/pictures.js';
import { memoryStore } from '../../support/standIns/memoryStore.js';
import { box, CATEGORIES, CocoFolder, hood, imageEntry } from './kit.js';

describe('an import of COCO annotations', function () {
  this.timeout(120_000);
  const coco = CocoFolder.perTest();

  it('maps and drops categories on request, and refuses rules that match nothing', async () => {
    const antenna = { category_id: 9, segmentation: [box(10, 10, 14, 14)] };
    const rules = (map: [string, string][], leaveOut: string[] = []) => ({
      classes: { map: new Map(map), leaveOut: new Set(leaveOut) },
    });
    assert.deepEqual(await classesAfter(rules([['antenna', 'mirror']])), [1, 3]);
    assert.deepEqual(await classesAfter(rules([], ['Antenna'])), [1]);
    assert.deepEqual(await classesAfter(rules([['antenna', 'ignored']])), [1]);
    await assert.rejects(coco.outcome([hood], rules([['antena', 'mirror']])), /has no category antena: it has/);
    await assert.rejects(coco.outcome([hood], rules([['antenna', 'miror']])), /taxonomy three has no class miror/);

    async function classesAfter(more: object): Promise<number[] | undefined> {
      const { store } = await coco.outcome([hood, antenna], more);
      return (await (await openPool(store, 'cars')).readIndex(1))[0]?.classes;
    }
  });

  it('takes class names as tools write them', async () => {
    await save(coco.path, 'images/1.jpg', await picture(1));
    const categories = [{ id: 2, name: ' HOOD ' }];
    const annotations = [{ ...hood, image_id: 1 }];
    const file = { images: [imageEntry(1)], categories, annotations };
    const path = await save(coco.path, 'case.json', JSON.stringify(file));
    const options = { place: join(coco.path, 'images'), annotations: path, taxonomy: TAXONOMY, followLinks: false };
    assert.equal((await runImport(memoryStore(), readCoco(options))).added, 1);
  });

  it('takes split, tags and vehicle from the fields of an image', async () => {
    const { store } = await coco.outcome(
      [hood],
      {},
      {
        ...imageEntry(1),
        split: 'valid',
        vehicle_id: 17,
        angle: '45',
        attributes: { black: true, occluded: false, reflection: 'no' },
        source: 'https://example.org',
      },
    );
    const [row] = await (await openPool(store, 'cars')).readIndex(1);
    assert.deepEqual(
      [row?.split, row?.vehicleId, row?.angle, row?.black, row?.reflection, row?.source],
      ['val', '17', 45, true, false, 'in-house'],
    );
    const emptied = await coco.outcome(
      [hood],
      {},
      { ...imageEntry(1), vehicle_id: 'v4', attributes: { vehicle_id: '', black: 1 } },
    );
    const [other] = await (await openPool(emptied.store, 'cars')).readIndex(1);
    assert.deepEqual([other?.vehicleId, other?.black], ['v4', true]);
    const hidden = await coco.outcome([hood], {}, { ...imageEntry(1), attributes: { split: 'Test Set' } });
    assert.match(hidden.refused[0]?.reason ?? '', /its split is "Test Set"/);
    const { refused } = await coco.outcome([hood], {}, { ...imageEntry(1), split: 'holdout' });
    assert.match(refused[0]?.reason ?? '', /its split is "holdout"/);
  });

  it('refuses only the image entry without a size, and reads a file with a byte order mark', async () => {
    for (const id of [1, 2]) await save(coco.path, `images/${id}.jpg`, await picture(id));
    const images = [{ id: 1, file_name: '1.jpg' }, imageEntry(2)];
    const annotations = [1, 2].map((id) => ({ ...hood, image_id: id }));
    const text = `\uFEFF${JSON.stringify({ images, categories: CATEGORIES, annotations })}`;
    const path = await save(coco.path, 'bom.json', text);
    const options = { place: join(coco.path, 'images'), annotations: path, taxonomy: TAXONOMY, followLinks: false };
    const { added, refused } = await runImport(memoryStore(), readCoco(options));
    assert.equal(added, 1);
    assert.deepEqual(refused[0]?.fileName, '1.jpg');
    assert.match(refused[0]?.reason ?? '', /its entry is not valid: width/);
  });

  it('takes the whole test set of DSMLR Car Parts', async function () {
    const set = dsmlrTestSet();
    if (set === null) return this.skip();
    const store = memoryStore();
    const items = readCoco({
      place: join(set, 'JPEGImages'),
      annotations: join(set, 'annotations.json'),
      taxonomy: dsmlr18,
      followLinks: false,
    });
    const { added, refused } = await runImport(store, items, { taxonomy: dsmlr18, test: true });
    assert.equal(added + refused.length, 100);
    assert.ok(added >= 95, JSON.stringify(refused));
    const rows = await (await openPool(store, 'cars')).readIndex(1);
    assert.ok(rows.every(({ split }) => split === 'test'));
    assert.equal(new Set(rows.flatMap(({ classes }) => classes)).size, 18);
  });
});
