import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { type Manifest, manifestSchema } from '../../../formats/manifest.js';
import { type ExportRequest, exportForReview } from '../../../pool/review/exportReview.js';
import { idOf } from '../../domain/sample/rows.js';
import { readBack } from './kit.js';
import { HEIGHT, halfLabel, missingPart, SCAN, type ScannedPool, scannedPool, WIDTH } from './scannedPool.js';

describe('an export for review', function () {
  this.timeout(240_000);
  let folder: string;
  let cars: ScannedPool;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'partloop-export-'));
    cars = await scannedPool(2);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const run = (out: string, changes: Partial<ExportRequest> = {}) =>
    exportForReview(cars.store, {
      ...{ scan: SCAN, format: 'coco', out, imageRoot: null, allClasses: false, allImages: false, simplifyPx: 0.5 },
      ...{ now: new Date('2026-01-01'), onProgress: () => undefined, ...changes },
    });
  const manifestOf = async (place: string): Promise<Manifest> =>
    manifestSchema.parse(JSON.parse(await readFile(join(place, 'manifest.json'), 'utf8')));

  it('holds at most 2,000 images per file, each file with its own manifest', async () => {
    cars = await scannedPool(2_001);
    const out = join(folder, 'many');
    const report = await run(out);
    assert.equal(report.images, 2_001);
    assert.deepEqual(report.folders, [join(out, 'part-001'), join(out, 'part-002')]);
    const [first, second] = await Promise.all(report.folders.map(manifestOf));
    assert.deepEqual([first?.images.length, second?.images.length], [2_000, 1]);
    assert.deepEqual([first?.part, second?.part, first?.parts, second?.exportId], [1, 2, 2, first?.exportId]);
    const coco: unknown = JSON.parse(await readFile(join(out, 'part-001', 'annotations.json'), 'utf8'));
    assert.equal((coco as { images: unknown[] }).images.length, 2_000);
  });

  it('leaves out an image that the format cannot hold, and names a format that can', async () => {
    const size = { width: 1_002, height: 1_002 };
    const speckles = Uint8Array.from({ length: 1_002 * 1_002 }, (_, pixel) =>
      pixel % 2 === 0 && Math.floor(pixel / 1_002) % 2 === 0 ? 1 : 0,
    );
    cars = await scannedPool(1, { label: speckles, size });
    const { images, leftOut } = await run(join(folder, 'coco'), { allClasses: true });
    assert.equal(images, 0);
    assert.match(leftOut[0]?.reason ?? '', /251001 pieces.*--format masks/);
    assert.deepEqual((await manifestOf(join(folder, 'coco'))).images, []);
    assert.equal((await run(join(folder, 'masks'), { format: 'masks', allClasses: true })).images, 1);
  });

  it('names images, labels, findings and classes, and links pictures, the most suspect image first', async () => {
    await run(join(folder, 'out'));
    const { images, classes, scan, pool } = await manifestOf(join(folder, 'out'));
    assert.deepEqual([scan, pool], [SCAN, 'cars']);
    assert.deepEqual(
      images.map(({ imageId, labelSha256, findings }) => [imageId, labelSha256, findings.map((one) => one.findingId)]),
      cars.images.map(({ imageId, labelSha256, fileName }) => [imageId, labelSha256, [`f-${fileName}`]]),
    );
    assert.equal(images[0]?.link, `${cars.store.uri}/pools/cars/images/${idOf(1)}`);
    assert.deepEqual(
      classes.map(({ value, name }) => [value, name]),
      [
        [0, 'background'],
        [1, 'hood'],
        [2, 'wheel'],
        [3, 'mirror'],
        [255, 'ignored'],
      ],
    );
    await run(join(folder, 'linked'), { imageRoot: '/photos/' });
    assert.equal((await manifestOf(join(folder, 'linked'))).images[0]?.link, '/photos/car-1.jpg');
  });

  it('carries our ids inside the files of COCO and Label Studio', async () => {
    await run(join(folder, 'coco'));
    const coco = await readFile(join(folder, 'coco', 'annotations.json'), 'utf8');
    await run(join(folder, 'ls'), { format: 'label-studio' });
    const tasks = await readFile(join(folder, 'ls', 'tasks.json'), 'utf8');
    for (const text of [coco, tasks]) for (const id of [idOf(1), 'f-car-1.jpg']) assert.ok(text.includes(id), id);
  });

  it('holds suspect classes alone, but all classes on request or if the whole label is suspect', async () => {
    const halves = halfLabel().map((value, pixel) => (pixel < WIDTH ? 2 : value));
    cars = await scannedPool(2, {
      label: halves,
      findings: (image) => [
        missingPart(image, image.fileName === 'car-2.jpg' ? { kind: 'mirrored', proposal: null } : {}),
      ],
    });
    await run(join(folder, 'some'));
    const some = await manifestOf(join(folder, 'some'));
    assert.deepEqual(
      some.images.map(({ exported }) => exported),
      [[3], [1, 2, 3]],
    );
    const found = await readBack(join(folder, 'some'), some);
    assert.deepEqual(found.get(idOf(1)), new Uint8Array(WIDTH * HEIGHT));
    assert.deepEqual(found.get(idOf(2)), halves);
    await run(join(folder, 'all'), { allClasses: true });
    assert.deepEqual((await manifestOf(join(folder, 'all'))).images[0]?.exported, [1, 2, 3]);
  });

  it('leaves out images without findings unless asked for, and labels newer than the scan', async () => {
    const [first, second] = cars.images;
    assert.ok(first !== undefined && second !== undefined);
    cars = await scannedPool(3, { findings: (image) => (image.imageId === idOf(3) ? [] : [missingPart(image)]) });
    await cars.pool.append(() => [{ ...second, labelSha256: 'c'.repeat(64), labelRevision: 2 }]);
    const report = await run(join(folder, 'some'));
    assert.equal(report.images, 1);
    assert.deepEqual(
      report.leftOut.map(({ imageId, reason }) => [imageId, reason]),
      [[idOf(2), 'its label has a newer revision than the scan judged']],
    );
    assert.equal((await run(join(folder, 'all'), { allImages: true })).images, 2);
  });

  it('says how many pixels YOLO loses, and exactly as many come back changed', async () => {
    let number = 0;
    const label = fc
      .array(fc.tuple(fc.nat(WIDTH - 1), fc.nat(HEIGHT - 1), fc.nat(14), fc.nat(3)), { minLength: 2, maxLength: 8 })
      .map((discs) =>
        Uint8Array.from({ length: WIDTH * HEIGHT }, (_, pixel) => {
          const over = discs.filter(
            ([x, y, radius]) => Math.hypot((pixel % WIDTH) - x, Math.floor(pixel / WIDTH) - y) <= radius,
          );
          return over.at(-1)?.[3] ?? 0;
        }),
      );
    const losses: number[] = [];
    await fc.assert(
      fc.asyncProperty(label, async (values) => {
        cars = await scannedPool(1, { label: values });
        const place = join(folder, String(number++));
        const report = await run(place, { format: 'yolo', allClasses: true, simplifyPx: 1 });
        const back = (await readBack(place, await manifestOf(place))).get(idOf(1));
        assert.ok(back instanceof Uint8Array);
        assert.equal(report.lostPixels, values.filter((value, pixel) => value !== back[pixel]).length);
        assert.equal(report.pixels, values.filter((value) => value !== 0).length);
        losses.push(report.lostPixels);
      }),
      { numRuns: 15 },
    );
    assert.ok(losses.some((loss) => loss > 0));
  });

  for (const format of ['coco', 'cvat', 'label-studio', 'masks'] as const) {
    it(`says that ${format} loses nothing`, async () => {
      assert.equal((await run(join(folder, format), { format, allClasses: true })).lostPixels, 0);
      assert.ok((await readdir(join(folder, format))).includes('manifest.json'));
    });
  }

  it('never mixes with another one', async () => {
    await writeFile(join(folder, 'annotations.json'), '{}');
    await assert.rejects(run(folder), /is not empty/);
    await assert.rejects(run(join(folder, 'new'), { scan: 'scan-none' }), /no finished scan `scan-none`/);
  });
});
