import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { FindingRow, IndexRow } from '../../../domain/tables.js';
import { type Manifest, manifestSchema, REVIEW_FORMATS, type ReviewFormat } from '../../../formats/manifest.js';
import { exportedRaster, WRITERS } from '../../../formats/writers.js';
import { exportForReview } from '../../../pool/review/exportReview.js';
import { importLabels, type LabelImport, type LabelImportReport } from '../../../pool/review/importLabels.js';
import { readReviews } from '../../../storage/reviews.js';
import { idOf } from '../../domain/sample/rows.js';
import { draw, within } from './desk.js';
import { HEIGHT, missingPart, SCAN, type ScannedPool, scannedPool, WIDTH } from './scannedPool.js';

const NOW = new Date('2026-02-03T04:05:06.000Z');

/** Class 1 right, with a hole; class 2 in two pieces that touch class 1 and each other's corner; some of it ignored. */
const LABEL = draw((x, y) => {
  if (y === 19) return 255;
  if (within(x, y, 26, 6, 30, 10)) return 0;
  if (x >= 20) return 1;
  return within(x, y, 16, 4, 20, 8) || within(x, y, 12, 8, 16, 12) ? 2 : 0;
});
/** The label after a review: the missing part is there, and class 2 lost a piece. */
const CORRECTED = LABEL.map((value, pixel) => {
  const [x, y] = [pixel % WIDTH, Math.floor(pixel / WIDTH)];
  if (within(x, y, 0, 0, 9, 15)) return 3;
  return within(x, y, 12, 8, 16, 12) ? 0 : value;
});

const both = (image: IndexRow): FindingRow[] => [
  missingPart(image, { x1: 0.25, y1: 0.8, areaShare: 0.2 }),
  missingPart(image, {
    ...{ findingId: `hood-${image.fileName}`, kind: 'bad_outline', classId: 1, suggestedClassId: 1 },
    ...{ x0: 0.5, x1: 1, areaShare: 0.4, proposal: null },
  }),
];

describe('corrected labels', function () {
  this.timeout(120_000);
  let folder: string;
  let cars: ScannedPool;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'partloop-review-'));
    cars = await scannedPool(2, { label: LABEL, findings: both });
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function exported(format: ReviewFormat, allClasses = true): Promise<Manifest> {
    await exportForReview(cars.store, {
      ...{ scan: SCAN, format, out: join(folder, 'out'), imageRoot: null, allClasses, allImages: false },
      ...{ simplifyPx: 0.5, now: NOW, onProgress: () => undefined },
    });
    return manifestSchema.parse(JSON.parse(await readFile(join(folder, 'out', 'manifest.json'), 'utf8')));
  }

  /** As a tool that keeps all it gets writes these labels. */
  async function returned(manifest: Manifest, labels: Record<number, Uint8Array>): Promise<string> {
    const place = await mkdtemp(join(folder, 'back-'));
    const writer = WRITERS[manifest.format]({ folder: place, facts: { ...manifest, simplifyPx: 0 } });
    for (const image of manifest.images) {
      const label = labels[Number.parseInt(image.imageId, 16)];
      if (label !== undefined) await writer.add({ image, raster: exportedRaster(label, image.exported) });
    }
    await writer.finish();
    return place;
  }

  const take = (path: string, more: Partial<LabelImport> = {}): Promise<LabelImportReport> =>
    importLabels(cars.store, {
      ...{ path, manifest: join(folder, 'out', 'manifest.json'), reviewer: 'ann', unchanged: null, empty: null },
      ...{ fillHoles: false, now: NOW, onProgress: () => undefined, ...more },
    });
  const verdicts = async () => (await readReviews(cars.store, 'cars')).verdicts;

  for (const format of REVIEW_FORMATS) {
    it(`come back from ${format} as new revisions, with a verdict on each finding that was acted on`, async () => {
      const path = await returned(await exported(format), { 1: CORRECTED, 2: LABEL });
      const report = await take(path);
      assert.deepEqual(
        [report.exported, report.returned, report.changed, report.unchanged, report.revised, report.verdicts],
        [2, 2, 1, 1, 1, 1],
      );
      assert.deepEqual([report.refused, report.missing, report.strangers], [[], [], []]);
      const { row, label } = await cars.now(1);
      assert.deepEqual(label, CORRECTED);
      assert.deepEqual([row.labelRevision, row.classes], [2, [1, 2, 3]]);
      assert.deepEqual((await cars.now(2)).row, cars.images[1]);
      assert.deepEqual(
        (await verdicts()).map(({ findingId, verdict, correctedSha256, reviewer }) => [
          ...[findingId, verdict, correctedSha256, reviewer],
        ]),
        [['f-car-1.jpg', 'wrong', row.labelSha256, 'ann']],
      );
    });

    it(`change no pixel of any label if ${format} comes back unchanged, whatever was exported`, async () => {
      const label = fc.uint8Array({ minLength: WIDTH * HEIGHT, maxLength: WIDTH * HEIGHT, max: 3 });
      await fc.assert(
        fc.asyncProperty(label, fc.boolean(), async (values, allClasses) => {
          await rm(join(folder, 'out'), { recursive: true, force: true });
          cars = await scannedPool(1, { label: values, findings: both });
          await exported(format, allClasses);
          const report = await take(join(folder, 'out'));
          assert.deepEqual([report.returned, report.unchanged, report.changed], [1, 1, 0]);
          assert.deepEqual((await cars.now(1)).row, cars.images[0]);
        }),
        { numRuns: 4 },
      );
    });
  }

  describe('of an audit sample', () => {
    const audits = async () =>
      (await readReviews(cars.store, 'cars')).audits
        .map(({ imageId, scan, chance, wrong, found, setAside }) => ({
          ...{ image: Number.parseInt(imageId, 16), scan, chance, wrong, found, setAside },
        }))
        // Imports of one moment have no order.
        .sort((a, b) => a.image - b.image);
    const overlooked = { image: 1, scan: SCAN, chance: 0.25, wrong: true, found: false, setAside: false };
    const sample = (options: { findings?: (image: IndexRow) => FindingRow[]; quarantined?: boolean } = {}) =>
      scannedPool(2, {
        label: LABEL,
        findings: options.findings ?? (() => []),
        rows: { auditChance: 0.25, quarantined: options.quarantined ?? false },
      });

    it('show what a scan overlooked, and with --unchanged right what it rightly passed', async () => {
      cars = await sample();
      const path = await returned(await exported('coco', false), { 1: CORRECTED, 2: LABEL });
      assert.equal((await take(path)).audits, 1);
      assert.deepEqual(await audits(), [overlooked]);
      assert.equal((await take(path, { unchanged: 'right' })).audits, 1);
      assert.deepEqual(await audits(), [overlooked, { ...overlooked, image: 2, wrong: false }]);
      assert.equal((await take(path, { unchanged: 'right' })).audits, 0);
    });

    it('are whole, and say what the scan had found', async () => {
      cars = await sample({ findings: both, quarantined: true });
      const manifest = await exported('coco', false);
      assert.deepEqual(
        manifest.images.map((image) => image.exported),
        [
          [1, 2, 3],
          [1, 2, 3],
        ],
      );
      await take(await returned(manifest, { 1: CORRECTED, 2: LABEL }));
      assert.deepEqual(await audits(), [{ ...overlooked, found: true, setAside: true }]);
    });

    it('are not counted if the image was not drawn', async () => {
      await take(await returned(await exported('coco'), { 1: CORRECTED, 2: LABEL }), { unchanged: 'right' });
      assert.deepEqual(await audits(), []);
    });
  });

  it('keep the classes that were not exported', async () => {
    const manifest = await exported('coco', false);
    assert.deepEqual(manifest.images[0]?.exported, [1, 3]);
    await take(await returned(manifest, { 1: CORRECTED, 2: LABEL }));
    const kept = CORRECTED.map((value, pixel) => (LABEL[pixel] === 2 && value === 0 ? 2 : value));
    assert.deepEqual((await cars.now(1)).label, kept);
  });

  it('are listed by image id if they did not come back', async () => {
    const report = await take(await returned(await exported('masks'), { 2: LABEL }));
    assert.deepEqual(report.missing, [{ imageId: idOf(1), fileName: 'car-1.jpg' }]);
    assert.equal(report.returned, 1);
  });

  it('are named if only the last part of a path identified the image, and refused if it fits several', async () => {
    const manifest = await exported('masks');
    const path = await returned(manifest, { 1: CORRECTED, 2: LABEL });
    await mkdir(join(path, 'masks', 'elsewhere'));
    await rename(join(path, 'masks', 'car-1.png'), join(path, 'masks', 'elsewhere', 'car-1.png'));
    const report = await take(path);
    const [first] = manifest.images;
    assert.ok(first);
    const { imageId, name: fileName } = first;
    assert.deepEqual(report.byLastPart, [{ imageId, fileName, returned: 'elsewhere/car-1' }]);
    assert.deepEqual([report.changed, report.ambiguous, report.strangers], [1, [], []]);

    // The same pictures, as if they lay in two folders and were called alike.
    const images = manifest.images.map((image, at) => ({ ...image, name: `${at}/a.jpg`, file: `${at}/a` }));
    await writeFile(join(folder, 'out', 'manifest.json'), JSON.stringify({ ...manifest, images }));
    const rows = await Promise.all([1, 2].map(async (number) => (await cars.now(number)).row));
    await rename(join(path, 'masks', 'elsewhere', 'car-1.png'), join(path, 'masks', 'a.png'));
    await rm(join(path, 'masks', 'car-2.png'));
    const refused = await take(path);
    const named = images.map((image) => ({ imageId: image.imageId, fileName: image.name }));
    assert.deepEqual(refused.ambiguous, [{ returned: 'a', images: named }]);
    assert.deepEqual([refused.returned, refused.strangers, refused.missing.length], [0, [], 2]);
    assert.deepEqual(await Promise.all([1, 2].map(async (number) => (await cars.now(number)).row)), rows);
  });

  it('keep holes that a tool filled, and count their pixels; on request the holes are filled', async () => {
    const filled = LABEL.map((value, pixel) =>
      within(pixel % WIDTH, Math.floor(pixel / WIDTH), 26, 6, 30, 10) ? 1 : value,
    );
    cars = await scannedPool(1, { label: LABEL });
    const path = await returned(await exported('coco'), { 1: filled });
    const report = await take(path);
    assert.deepEqual([report.changed, report.loss], [0, { holes: 1, holePixels: 16, edgePixels: 0 }]);
    assert.equal((await take(path, { fillHoles: true })).changed, 1);
    assert.deepEqual((await cars.now(1)).label, filled);
  });

  it('fill a hole if a finding objected to it', async () => {
    const hole = { kind: 'hole', classId: 0, suggestedClassId: 1, x0: 0.65, y0: 0.3, x1: 0.75, y1: 0.5 } as const;
    cars = await scannedPool(1, { label: LABEL, findings: (image) => [missingPart(image, hole)] });
    const filled = LABEL.map((value, pixel) =>
      within(pixel % WIDTH, Math.floor(pixel / WIDTH), 26, 6, 30, 10) ? 1 : value,
    );
    const report = await take(await returned(await exported('coco'), { 1: filled }));
    assert.deepEqual([report.changed, report.loss.holes], [1, 0]);
  });

  it('are known when they come a second time', async () => {
    const path = await returned(await exported('label-studio'), { 1: CORRECTED, 2: LABEL });
    const first = await take(path);
    const again = await take(path);
    assert.deepEqual([again.changed, again.known, again.verdicts, again.version], [0, 1, 0, first.version]);
    assert.equal((await verdicts()).length, 1);
  });

  it('are refused if others changed the same pixels differently since the export', async () => {
    const path = await returned(await exported('cvat'), { 1: CORRECTED, 2: LABEL });
    await take(path);
    const other = await returned(await exportedManifest(), { 1: draw((x) => (x < 20 ? 2 : 1)), 2: LABEL });
    const report = await take(other);
    assert.match(report.refused[0]?.reason ?? '', /changed at the same place since the export: export it again/);
    assert.deepEqual((await cars.now(1)).label, CORRECTED);
  });

  it('confirm the given label if they come back unchanged and the person says so', async () => {
    const path = await returned(await exported('masks'), { 1: LABEL, 2: LABEL });
    assert.equal((await take(path)).verdicts, 0);
    assert.equal((await take(path, { unchanged: 'right' })).verdicts, 4);
    assert.ok((await verdicts()).every(({ verdict }) => verdict === 'right'));
  });

  it('are all refused before any label changes if no answer can hold the ids of the manifest', async () => {
    const manifest = await exported('coco');
    const path = await returned(manifest, { 1: CORRECTED, 2: LABEL });
    const before = await cars.pool.latestVersion();
    const findings = manifest.images.map((image) => ({
      ...image,
      findings: image.findings.map((finding) => ({ ...finding, findingId: '' })),
    }));
    for (const [spoiled, words] of [
      [{ scan: 'x'.repeat(81) }, /not the manifest.*scan/],
      [{ scan: '' }, /not the manifest.*scan/],
      [{ images: findings }, /not the manifest.*findingId/],
    ] as const) {
      await writeFile(join(folder, 'out', 'manifest.json'), JSON.stringify({ ...manifest, ...spoiled }));
      await assert.rejects(take(path), words);
    }
    assert.equal(await cars.pool.latestVersion(), before);
  });

  it('are all refused for another pool, and without the manifest of their export', async () => {
    const path = await returned(await exported('masks'), { 1: LABEL });
    await assert.rejects(take(path, { pool: 'vans' }), /of pool `cars`, not `vans`/);
    await assert.rejects(take(path, { manifest: join(path, 'none.json') }), /there is no manifest\.json/);
    await assert.rejects(take(join(folder, 'nothing')), /cannot be read/);
  });

  const exportedManifest = async (): Promise<Manifest> =>
    manifestSchema.parse(JSON.parse(await readFile(join(folder, 'out', 'manifest.json'), 'utf8')));
});
