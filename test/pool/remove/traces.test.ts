import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { chunkRowSchema, evaluationRowSchema, findingRowSchema, trainingRowSchema } from '../../../domain/tables.js';
import { NO_TAGS } from '../../../domain/tags.js';
import { importImages } from '../../../pool/import/importImages.js';
import { namesInReport } from '../../../pool/remove/reportNames.js';
import { keys } from '../../../storage/keys.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { openPool } from '../../../storage/pool/pool.js';
import { writeTable } from '../../../storage/tables/table.js';
import { runImport, TAXONOMY } from '../../support/pictures/pictures.js';
import { memoryStore } from '../../support/standIns/memoryStore.js';
import { missingPart } from '../review/scannedPool.js';
import { imageIdOf, item, named, planOf, purgeImages, under } from './kit.js';

const step = (loop: string, name: string, file: string, iteration = 1): string =>
  keys.attempt(loop, iteration, name, 'd'.repeat(64), 'token', file);

/** The traces of these images that a loop over `pool` leaves in its first iteration. */
async function loopOver(store: ObjectStore, loop: string, pool: string, imageIds: string[]): Promise<void> {
  const history = await (await openPool(store, 'cars')).history();
  const rows = imageIds.flatMap((imageId) => history.latest(imageId) ?? []);
  const chunk = rows.map((row) => ({ ...row, cluster: row.imageId }));
  const commit = { step: 'draw', inputs: { pool } };
  await store.put(keys.commit(loop, 1, 'draw', 'd'.repeat(64)), JSON.stringify(commit));
  await writeTable(store, step(loop, 'draw', 'chunk.parquet'), chunk, chunkRowSchema);
  await store.put(step(loop, 'draw', 'drawn.json'), JSON.stringify({ images: imageIds }));
  const findings = rows.map((row) => missingPart(row));
  await writeTable(store, step(loop, 'scan', 'findings.parquet'), findings, findingRowSchema);
  const shard = { version: 1, entries: imageIds.map((imageId) => ({ imageId })) };
  await store.put(step(loop, 'plan', 'shards/v1-x/0.json.gz'), gzipSync(JSON.stringify(shard)));
  const training = await Promise.all(
    chunk.map(async (row) => {
      // As ignored regions have it: another label for this iteration alone.
      const labelSha256 = row.imageId.split('').reverse().join('');
      const labelUri = step(loop, 'sample', `labels/${labelSha256}.png`);
      await store.put(labelUri, 'label');
      return { ...row, labelUri, labelSha256, pickedIn: 1 };
    }),
  );
  await writeTable(store, step(loop, 'sample', 'training-set.parquet'), training, trainingRowSchema);
  const list = { images: chunk.map(({ imageId, vehicleId, cluster }) => ({ imageId, vehicleId, cluster })) };
  await store.put(step(loop, 'train', 'training-list.json'), JSON.stringify(list));
  await store.put(step(loop, 'train', 'scan.onnx'), 'network');
  const figures = rows.map(({ fileName }) => `<figure><span>${fileName}</span></figure>`);
  await store.put(step(loop, 'report', 'index.html'), `<body>${figures.join('')}</body>`);
}

describe('the traces of images outside their pool', function () {
  this.timeout(120_000);

  it('include loops, scans, models in and out of production, and reports', async () => {
    const store = memoryStore();
    await runImport(store, [item(1, 1), item(2, 2), item(3, 3)]);
    const [first, second, third] = await Promise.all([1, 2, 3].map(imageIdOf));
    assert.ok(first && second && third);
    await loopOver(store, 'nightly', 'cars', [first, second]);
    await loopOver(store, 'weekly', 'cars', [third]);
    await loopOver(store, 'vans', 'vans', [first]);
    await store.put(keys.scan('weekly'), '{}');
    const model = { scan: step('nightly', 'train', 'scan.onnx'), card: step('nightly', 'train', 'model.json') };
    const registered = { ...model, digest: 'e'.repeat(64), loop: 'nightly', iteration: 1 };
    const history = [{ model: registered, at: '', reason: '' }];
    await store.put(keys.benchmark('x'), JSON.stringify({ version: 1, model: registered, history, looks: [] }));

    const { traces } = await planOf(store, named('front/1.jpg', 'front/2.jpg'));
    assert.deepEqual(traces.loops, [
      { loop: 'nightly', isScan: false, pool: 'cars', drawn: 2, inTraining: 2, findings: 2 },
    ]);
    const { list, ...rest } = { ...model, list: step('nightly', 'train', 'training-list.json') };
    assert.deepEqual(traces.models, [
      {
        model: rest.scan,
        card: rest.card,
        list,
        loop: 'nightly',
        iteration: 1,
        role: 'candidate',
        seen: 2,
        production: 'now',
      },
    ]);
    assert.deepEqual(traces.reports, [step('nightly', 'report', 'index.html')]);

    const scan = (await planOf(store, named('front/3.jpg'))).traces;
    assert.deepEqual(scan.loops[0], {
      loop: 'weekly',
      isScan: true,
      pool: 'cars',
      drawn: 1,
      inTraining: 1,
      findings: 1,
    });
    assert.deepEqual([scan.models[0]?.production, scan.models.length], [null, 1]);
  });

  it('include every object and other pools if bytes are to be deleted', async () => {
    const store = memoryStore();
    await runImport(store, [item(1, 1), item(2, 2)]);
    const now = new Date();
    await importImages(store, 'vans', TAXONOMY, [item(1, 1)], { now, onProgress: () => undefined });
    const [first, second] = await Promise.all([1, 2].map(imageIdOf));
    assert.ok(first && second);
    await loopOver(store, 'nightly', 'cars', [first, second]);
    await loopOver(store, 'vans', 'vans', [first]);
    const scores = `${keys.evaluation('m', 't', 512, 1)}images.parquet`;
    const score = {
      ...NO_TAGS,
      imageId: first,
      fileName: 'x',
      vehicleId: null,
      confusion: [],
      boundary: [],
      imageMiou: 1,
      calibration: null,
    };
    await writeTable(store, scores, [score], evaluationRowSchema);
    await store.put(step('nightly', 'scan', 'images.parquet'), 'no table');
    const { traces } = await planOf(store, named('front/1.jpg'), true);
    assert.deepEqual(
      traces.loops.map(({ loop }) => loop),
      ['nightly', 'vans'],
    );
    assert.deepEqual(traces.otherPools, [{ pool: 'vans', images: 1 }]);
    assert.deepEqual(traces.unreadable, [step('nightly', 'scan', 'images.parquet')]);
    for (const file of [
      'draw/chunk.parquet',
      'draw/drawn.json',
      'plan/shards/v1-x/0.json.gz',
      'train/training-list.json',
    ]) {
      const [name = '', ...rest] = file.split('/');
      assert.ok(traces.tables.includes(step('nightly', name, rest.join('/'))), file);
    }
    assert.ok(traces.tables.includes(scores));
    assert.ok(traces.tables.some((key) => key.startsWith('pools/cars/segments/')));
    assert.equal((await planOf(store, named('front/2.jpg'), true)).traces.tables.includes(scores), false);
  });

  it('include copies of labels that iterations made, which are deleted with the bytes', async () => {
    const store = memoryStore();
    await runImport(store, [item(1, 1), item(2, 2)]);
    const [first, second] = await Promise.all([1, 2].map(imageIdOf));
    assert.ok(first && second);
    await loopOver(store, 'nightly', 'cars', [first, second]);
    await loopOver(store, 'vans', 'vans', [first]);
    const { labelCopies } = await purgeImages(store, named('front/1.jpg'));
    assert.equal(labelCopies, 1);
    const copyIn = (loop: string, id: string): string =>
      step(loop, 'sample', `labels/${id.split('').reverse().join('')}.png`);
    const left = under(store, '/sample/').filter((key) => key.endsWith('.png'));
    assert.deepEqual(left, [copyIn('nightly', second), copyIn('vans', first)]);
  });

  it('are found in reports by names as pages write them', () => {
    const html = '<td class="a">a &amp; b&#39;s &lt;1&gt;.jpg</td><img alt="c"/><span>d.jpg</span>';
    assert.deepEqual([...namesInReport(html)], ["a & b's <1>.jpg", 'd.jpg']);
  });
});
