import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REVIEW_FORMATS } from '../../../formats/manifest.js';
import { readReviews } from '../../../storage/reviews.js';
import { clock, desk, draw, within } from './desk.js';
import { missingPart, type ScannedPool, scannedPool } from './scannedPool.js';

const LABEL = draw((x, y) => (x >= 20 ? 1 : within(x, y, 12, 8, 16, 12) ? 2 : 0));
const NOTHING = draw(() => 0);
const WITHOUT_TWO = LABEL.map((value) => (value === 2 ? 0 : value));
/** Class 1 lost its right end. */
const CUT = LABEL.map((value, pixel) => (pixel % 40 >= 36 ? 0 : value));

/** A returned file that does not mention a region does not change it. */
describe('an import of a returned file', function () {
  this.timeout(60_000);
  let folder: string;
  let cars: ScannedPool;
  let now: () => Date;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'partloop-silence-'));
    cars = await scannedPool(2, { label: LABEL });
    now = clock();
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const rowsNow = async () => Promise.all([1, 2].map(async (number) => (await cars.now(number)).row));
  const edited = async (path: string, change: (text: string) => string): Promise<void> =>
    writeFile(path, change(await readFile(path, 'utf8')));

  for (const format of REVIEW_FORMATS) {
    it(`holds back images without any shape in ${format} until somebody says that all were deleted`, async () => {
      const { returned, take, manifest } = await desk(cars.store, folder, format, now);
      const path = await returned({ 1: NOTHING, 2: CUT });
      const report = await take(path, { unchanged: 'right' });
      assert.deepEqual(
        report.empty.map(({ fileName }) => fileName),
        [manifest.images[0]?.name],
      );
      assert.deepEqual([report.returned, report.changed, report.unchanged, report.missing], [2, 1, 0, []]);
      assert.deepEqual((await cars.now(1)).row, cars.images[0]);
      assert.deepEqual(await readReviews(cars.store, 'cars').then(({ verdicts }) => verdicts), []);
      const deleted = await take(path, { empty: 'deleted' });
      assert.deepEqual([deleted.empty, deleted.changed, deleted.known], [[], 1, 1]);
      assert.deepEqual((await cars.now(1)).label, NOTHING);
    });

    it(`takes an image without labels for unchanged if ${format} brings none`, async () => {
      cars = await scannedPool(1, { label: NOTHING });
      const { out, take } = await desk(cars.store, folder, format, now);
      const report = await take(out);
      assert.deepEqual([report.unchanged, report.empty, report.missing], [1, [], []]);
    });
  }

  for (const format of ['cvat', 'yolo'] as const) {
    it(`holds back images that ${format} lists without a label file`, async () => {
      const { returned, take } = await desk(cars.store, folder, format, now);
      const path = await returned({ 1: LABEL, 2: LABEL });
      const gone = format === 'cvat' ? 'SegmentationClass/car-1.png' : 'labels/car-1.txt';
      await rm(join(path, gone));
      const report = await take(path);
      assert.deepEqual([report.empty.length, report.missing, report.unchanged], [1, [], 1]);
      assert.deepEqual(await rowsNow(), cars.images);
    });

    it(`counts images as missing that ${format} does not list, also if empty ones were emptied`, async () => {
      const { returned, take } = await desk(cars.store, folder, format, now);
      const report = await take(await returned({ 2: LABEL }), { empty: 'deleted' });
      assert.deepEqual([report.empty, report.missing.length, report.unchanged], [[], 1, 1]);
      assert.deepEqual(await rowsNow(), cars.images);
    });
  }

  describe('with classes that the file does not list', () => {
    /** The same labels without class 2, `wheel`, in shapes and list. */
    const lists: Record<'coco' | 'cvat' | 'yolo', (path: string) => Promise<void>> = {
      coco: (path) =>
        edited(join(path, 'annotations.json'), (text) => {
          const file = JSON.parse(text);
          return JSON.stringify({
            ...file,
            categories: file.categories.filter(({ name }: { name: string }) => name !== 'wheel'),
          });
        }),
      cvat: (path) => edited(join(path, 'labelmap.txt'), (text) => text.replace(/^wheel:.*\n/m, '')),
      yolo: (path) => edited(join(path, 'data.yaml'), (text) => text.replace(/^ {2}1: wheel\n/m, '')),
    };

    for (const format of ['coco', 'cvat', 'yolo'] as const) {
      it(`keeps their regions, and names them (${format})`, async () => {
        const { returned, take } = await desk(cars.store, folder, format, now);
        const path = await returned({ 1: WITHOUT_TWO, 2: CUT.map((value) => (value === 2 ? 0 : value)) });
        await lists[format](path);
        const report = await take(path);
        assert.deepEqual([report.classesNotInFile, report.unchanged, report.changed], [['wheel'], 1, 1]);
        assert.deepEqual((await cars.now(1)).row, cars.images[0]);
        assert.deepEqual((await cars.now(2)).label, CUT);
      });

      it(`removes their regions if the file lists the class (${format})`, async () => {
        const { returned, take } = await desk(cars.store, folder, format, now);
        const report = await take(await returned({ 1: WITHOUT_TWO, 2: LABEL }));
        assert.deepEqual([report.classesNotInFile, report.changed], [[], 1]);
        assert.deepEqual((await cars.now(1)).label, WITHOUT_TWO);
      });

      it(`refuses a list without any class of the taxonomy (${format})`, async () => {
        const { returned, take } = await desk(cars.store, folder, format, now);
        const path = await returned({ 1: NOTHING, 2: NOTHING });
        if (format === 'coco')
          await edited(join(path, 'annotations.json'), (text) =>
            text.replace(/"categories":\[.*?\]/, '"categories":[]'),
          );
        if (format === 'cvat') await writeFile(join(path, 'labelmap.txt'), 'spoiler:1,2,3::\n');
        if (format === 'yolo') await writeFile(join(path, 'data.yaml'), 'names: [spoiler]\n');
        await assert.rejects(take(path, { empty: 'deleted' }), /lists no class/);
        assert.deepEqual(await rowsNow(), cars.images);
      });
    }

    it('gives no verdict on findings of these classes, nor on the whole label', async () => {
      cars = await scannedPool(1, {
        label: LABEL,
        findings: (image) => [
          missingPart(image),
          missingPart(image, { findingId: 'wheel', suggestedClassId: 2 }),
          missingPart(image, { findingId: 'hood', kind: 'extra_part', classId: 1, suggestedClassId: 0 }),
        ],
        rows: { auditChance: 0.5 },
      });
      const { returned, take } = await desk(cars.store, folder, 'coco', now);
      const path = await returned({ 1: WITHOUT_TWO });
      await lists.coco(path);
      const report = await take(path, { unchanged: 'right' });
      assert.deepEqual([report.unchanged, report.verdicts, report.audits], [1, 2, 0]);
      const { verdicts } = await readReviews(cars.store, 'cars');
      assert.deepEqual(verdicts.map(({ findingId }) => findingId).sort(), ['f-car-1.jpg', 'hood']);
    });
  });

  it('refuses a file of another export, which may lack classes that it never had', async () => {
    const some = await desk(cars.store, folder, 'coco', now, { allClasses: false });
    const all = await desk(cars.store, folder, 'coco', now);
    for (const format of ['coco', 'label-studio'] as const) {
      const other = await desk(cars.store, folder, format, now, { allClasses: false });
      const path = await other.returned({ 1: LABEL, 2: LABEL });
      await assert.rejects(all.take(path), new RegExp(`is of export ${other.manifest.exportId}, not of`));
    }
    assert.notEqual(some.manifest.exportId, all.manifest.exportId);
    assert.deepEqual(await rowsNow(), cars.images);
  });
});
