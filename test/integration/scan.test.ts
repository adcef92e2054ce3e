import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { carParts34 } from '../../domain/taxonomies/carParts34.js';
import { labelNames } from '../../domain/taxonomy.js';
import { findScan, readScanRecord } from '../../storage/scans.js';
import { storeOfHome } from '../chaos/home.js';
import { partloop, partloopJson } from '../support/cli.js';
import { carStack } from '../support/servers/carStack.js';

const IMAGES = 16;
const finishedSchema = z.looseObject({
  scanId: z.string(),
  scanned: z.number(),
  folds: z.number(),
  errors: z.number(),
});
/** The smallest network: these tests do not depend on how well it judges. */
const SMALL = [
  ...['--image-size', '64', '--iterations', '3', '--batch-size', '4', '--seed', '1'],
  ...['--set', 'train.preset=test_efficientnet', 'train.weights=random'],
];

describe('a standalone scan', function () {
  this.timeout(6 * 60_000);
  let home: string;
  let remove = async (): Promise<void> => undefined;
  let scanId: string;

  before(async () => {
    ({ home, remove } = await carStack('cars', { seed: 8, counts: { train: IMAGES, val: 2, test: 2 } }));
  });
  after(() => remove());

  it('judges every training image of a pool by folds and prints one object with its id', async () => {
    const options = ['--pool', 'cars', '--cross-validate', '2', ...SMALL, '--wait'];
    const found = finishedSchema.parse(await partloopJson(home, ['scan', 'run', ...options]));
    ({ scanId } = found);
    assert.deepEqual([found.scanned, found.folds, found.errors], [IMAGES, 2, 0]);
    const { scans } = z
      .object({ scans: z.array(z.looseObject({ scan: z.string() })) })
      .parse(await partloopJson(home, ['scan', 'list']));
    assert.deepEqual(
      scans.map(({ scan }) => scan),
      [scanId],
    );
  });

  it('says which images it did not judge, and on request judges the test images by folds of its own', async () => {
    const shown = await partloop(home, ['scan', 'show', scanId]);
    assert.match(shown.stderr, /warning: 16 images are too few/);
    assert.match(shown.stderr, / {2}2 left out, in the test split, not scanned: images\/test-\d+\.jpg, images\/test/);
    assert.match(shown.stderr, /scanned 16 of 20 images; not scanned: 2 in the validation split, 2 in the test split/);
    const options = ['--pool', 'cars', '--split', 'test', '--cross-validate', '2', ...SMALL, '--wait', '--json'];
    const { code, stdout, stderr } = await partloop(home, ['scan', 'run', ...options]);
    assert.equal(code, 0, stderr);
    const found = finishedSchema.extend({ poolImages: z.number(), otherTrain: z.number() }).parse(JSON.parse(stdout));
    assert.deepEqual(
      [found.scanned, found.folds, found.errors, found.poolImages, found.otherTrain],
      [2, 2, 0, 20, IMAGES],
    );
    const { scans } = z
      .object({ scans: z.array(z.looseObject({ scan: z.string(), split: z.string(), scanned: z.number() })) })
      .parse(await partloopJson(home, ['scan', 'list']));
    assert.deepEqual(scans.map(({ split, scanned }) => [split, scanned]).sort(), [
      ['test', 2],
      ['train', IMAGES],
    ]);
  });

  it('leaves tables of images, of excluded images and of findings, as CSV and as Parquet', async () => {
    const out = join(home, 'out');
    await partloopJson(home, ['scan', 'export', scanId, '--out', out]);
    const [leftOut = '', ...others] = (await readFile(join(out, 'left-out.csv'), 'utf8')).trim().split('\n');
    assert.equal(leftOut, 'image_id,file_name,split,reason,detail');
    assert.deepEqual(others.map((row) => row.split(',').slice(2, 4).join(' ')).sort(), [
      ...['test', 'test'].map((split) => `${split} "in the test split`),
      ...['val', 'val'].map((split) => `${split} "in the validation split`),
    ]);
    const [images = '', ...rows] = (await readFile(join(out, 'images.csv'), 'utf8')).trim().split('\n');
    assert.equal(images, 'image_id,file_name,label_quality,p_mislabelled,kinds');
    assert.equal(rows.length, IMAGES);
    const bad = await readFile(join(out, 'bad-images.csv'), 'utf8');
    assert.equal(bad.trim(), leftOut, 'what is on another side of the split is not to be taken out of the pool');
    const [findings] = (await readFile(join(out, 'findings.csv'), 'utf8')).split('\n');
    assert.equal(findings, 'image_id,file_name,kind,class,suggested_class,area_px,p_wrong,bbox');
    await partloopJson(home, ['scan', 'export', scanId, '--format', 'parquet', '--out', out]);
    assert.equal((await readFile(join(out, 'images.parquet'))).subarray(0, 4).toString(), 'PAR1');
  });

  it('is shown with class names', async () => {
    const shown = z
      .object({ findings: z.array(z.looseObject({ class: z.string(), suggestedClass: z.string().nullable() })) })
      .parse(await partloopJson(home, ['scan', 'show', scanId]));
    const names = labelNames(carParts34);
    for (const finding of shown.findings)
      for (const name of [finding.class, finding.suggestedClass ?? 'background'])
        assert.ok([...names, 'whole label'].includes(name), name);
    const { stdout } = await partloop(home, ['scan', 'show', scanId]);
    if (shown.findings.length > 0) assert.match(stdout, /^image +finding +class +suggested +picture pixels +p wrong$/m);
  });

  it('goes out to an annotation tool, whose answers are matched, counted and kept', async () => {
    const out = join(home, 'review');
    const exported = z
      .object({ images: z.number(), lostPixels: z.number(), leftOut: z.array(z.unknown()) })
      .parse(
        await partloopJson(home, [
          'scan',
          'export',
          scanId,
          '--format',
          'coco',
          '--all-images',
          '--all-classes',
          '--out',
          out,
        ]),
      );
    assert.deepEqual(exported, { images: IMAGES, lostPixels: 0, leftOut: [] });
    const imported = z
      .object({ returned: z.number(), unchanged: z.number(), revised: z.number(), missing: z.array(z.unknown()) })
      .parse(await partloopJson(home, ['review', 'import', join(out, 'annotations.json')]));
    assert.deepEqual(imported, { returned: IMAGES, unchanged: IMAGES, revised: 0, missing: [] });

    const [header, ...rows] = (await readFile(join(home, 'out', 'findings.csv'), 'utf8')).trim().split('\n');
    const answers = join(home, 'answers.csv');
    await writeFile(answers, [`${header},verdict`, ...rows.map((row) => `${row},right`)].join('\n'));
    const said = z
      .object({ answered: z.number(), unanswered: z.number(), refused: z.array(z.unknown()) })
      .parse(await partloopJson(home, ['review', 'import', answers, '--scan', scanId]));
    assert.deepEqual(said, { answered: rows.length, unanswered: 0, refused: [] });
    const { findings } = z.object({ findings: z.number() }).parse(await partloopJson(home, ['review', 'list', 'cars']));
    assert.equal(findings, rows.length);
  });

  it('takes any network with logits, refuses one with other classes, and asks for its training images', async () => {
    const store = await storeOfHome(home);
    const record = await readScanRecord(store, scanId);
    const logits = record?.result.outputs['fold-0-scan']?.replace(/scan\.onnx$/, 'model.onnx');
    assert.ok(logits !== undefined);
    const folder = join(home, 'model');
    await store.getFile(logits, join(folder, 'net.onnx'));
    const describe = (classes: string[]): Promise<void> =>
      writeFile(
        join(folder, 'model.json'),
        JSON.stringify({ layout: 'NHWC', size: 64, scale: 1, mean: [0, 0, 0], std: [1, 1, 1], classes }),
      );
    const run = ['scan', 'run', '--pool', 'cars', '--model', join(folder, 'net.onnx'), ...SMALL, '--wait', '--json'];

    await describe(labelNames(carParts34).map((name) => (name === 'hood' ? 'bonnet' : name)));
    const misfit = await partloop(home, [...run, '--unseen']);
    assert.match(misfit.stderr, /bonnet +only in the model\n +hood +only in taxonomy/);
    assert.notEqual(misfit.code, 0);

    await describe(labelNames(carParts34));
    const unknown = await partloop(home, run);
    assert.match(unknown.stderr, /--unseen.*--cross-validate/s);

    const { code, stdout, stderr } = await partloop(home, [...run, '--unseen']);
    assert.equal(code, 0, stderr);
    const judged = finishedSchema.parse(JSON.parse(stdout));
    assert.deepEqual([judged.scanned, judged.folds, judged.errors], [IMAGES, 0, 0]);
  });

  it('names a wrong field, and the values allowed', async () => {
    const { code, stderr } = await partloop(home, ['scan', 'run', '--pool', 'cars', '--cross-validate', '1']);
    assert.equal(code, 2);
    assert.match(stderr, /--cross-validate: 1 is not allowed.*2–10/);
  });

  it('is not found under an unknown name', async () => {
    await assert.rejects(findScan(await storeOfHome(home), 'scan-nothing'), /no finished scan `scan-nothing`/);
  });
});
