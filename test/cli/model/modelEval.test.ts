import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { pino } from 'pino';
import { z } from 'zod';
import type { RegisteredModel } from '../../../domain/decide/decision.js';
import type { IndexRow } from '../../../domain/tables.js';
import { evaluateModel } from '../../../inference/evaluation/evaluateModel.js';
import { digestOf } from '../../../storage/digest.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { readRegistry } from '../../../storage/registry.js';
import { TAXONOMY } from '../../domain/sample/rows.js';
import { givenCard } from '../../support/models/givenModel.js';
import { hasPython, PYTHON, run, writeSeer } from '../../support/models/tinyModel.js';
import { startTestStore, type TestStore } from '../../support/servers/s3.js';
import { localEnvironment } from '../../support/servers/workflowEnvironment.js';
import { taxonomy as OTHER } from '../../training/tinyPool.js';
import * as onPlace from './commands.js';
import { judgedPool, type Picture } from './judgedPool.js';
import { config, emptyPool, trained } from './models.js';

const SIDE = 64;
const summarySchema = z.looseObject({ images: z.number(), miou: z.number(), boundaryIou: z.number() });
const evalSchema = z.looseObject({
  model: z.object({ name: z.string(), digest: z.string() }),
  testVersion: z.string(),
  size: z.number(),
  leftOut: z.array(z.looseObject({ fileName: z.string() })),
  seen: z.object({ image: z.number(), copy: z.number(), vehicle: z.number() }).nullable(),
  measured: z.enum(['all', 'unseen', 'none', 'unknown']),
  all: summarySchema,
  unseen: summarySchema.nullable(),
  worst: z.array(z.looseObject({ fileName: z.string(), mistake: z.string() })),
});

/** A network of somebody else: 4 logits from one convolution that sees class 1 where red is above half. */
const FOREIGN = `
import sys
import numpy as np, onnx
from onnx import TensorProto as T, helper as h, numpy_helper as n
path, size = sys.argv[1], int(sys.argv[2])
w = np.zeros((4, 3, 1, 1), np.float32); w[1, 0] = 40; b = np.array([0, -20, -90, -90], np.float32)
graph = h.make_graph([h.make_node("Conv", ["x", "w", "b"], ["y"])], "net",
    [h.make_tensor_value_info("x", T.FLOAT, ["N", 3, size, size])], [h.make_tensor_value_info("y", T.FLOAT, ["N", 4, size, size])],
    [n.from_array(w, "w"), n.from_array(b, "b")])
onnx.save(h.make_model(graph, opset_imports=[h.make_opsetid("", 17)], ir_version=8), path)
`;

const COPIED = '0f0f0f0f0f0f0f0f';
const PICTURES: Picture[] = [
  { fileName: 'seen.png', split: 'val' },
  { fileName: 'same-car.png', split: 'val', vehicleId: 'car-7' },
  { fileName: 'copy.png', split: 'val', perceptualHash: COPIED },
  { fileName: 'fresh.png', split: 'val' },
  { fileName: 'mislabelled.png', split: 'val', label: 2 },
  { fileName: 'trained.png', split: 'train', vehicleId: 'car-7' },
  { fileName: 'original.png', split: 'train', perceptualHash: COPIED },
  ...[1, 2, 3].map((n): Picture => ({ fileName: `test-${n}.png`, split: 'test' })),
];

describe('the measure of a model on images of a pool', function () {
  this.timeout(240_000);
  let server: TestStore;
  let temporal: TestWorkflowEnvironment;
  let home: string;
  let network: Uint8Array;
  let store: ObjectStore;
  let prefix: string;
  let model: RegisteredModel;
  let row: (fileName: string) => IndexRow;

  before(async function () {
    if (!hasPython) {
      console.log('      skipped: no Python with onnx; run npm run bootstrap');
      this.skip();
    }
    [server, temporal] = await Promise.all([startTestStore(), localEnvironment()]);
    home = await mkdtemp(join(tmpdir(), 'partloop-eval-'));
    network = await readFile(await writeSeer(join(home, 'seer.onnx'), SIDE, TAXONOMY.classes.length));
  });
  after(async () => {
    await Promise.all([server?.stop(), temporal?.teardown()]);
    if (home !== undefined) await rm(home, { recursive: true, force: true });
  });
  beforeEach(async () => {
    prefix = randomUUID();
    store = server.open(prefix);
    row = await judgedPool(store, PICTURES);
    const images = ['seen.png', 'trained.png', 'original.png'].map((fileName) => ({
      ...{ imageId: row(fileName).imageId, vehicleId: row(fileName).vehicleId, cluster: row(fileName).imageId },
    }));
    await store.put('list.json', JSON.stringify({ images }));
    const card = { trainedOn: { list: 'list.json', digest: digestOf(images) } };
    model = await trained(store, { iteration: 1, network, card });
  });
  const place = (): onPlace.Place => ({ server, temporal, home, prefix });
  const measured = (...args: string[]) =>
    onPlace.answered(place(), evalSchema, 'model', 'eval', ...args, '--set', 'scan.sessions=1');
  const said = (...args: string[]) => onPlace.said(place(), 'model', 'eval', ...args, '--set', 'scan.sessions=1');

  it('leaves out what the model was trained on, copies of it and its vehicles', async () => {
    const found = await measured('cars:1', '--pool', 'cars', '--split', 'val');
    assert.deepEqual([found.seen, found.measured], [{ image: 1, copy: 1, vehicle: 1 }, 'unseen']);
    // One of two, and four of five, regions of class 1 are labelled so; class 2 is never seen.
    assert.deepEqual([found.unseen?.images, found.unseen?.miou], [2, 0.25]);
    assert.deepEqual([found.all.images, found.all.miou], [5, 0.4]);
    assert.deepEqual(
      found.worst.map(({ fileName }) => fileName),
      ['mislabelled.png', 'fresh.png'],
    );
    assert.equal(found.worst[0]?.mistake, 'door seen as hood, 100 % of it');
    const { stderr, stdout } = await said('cars:1', '--pool', 'cars', '--split', 'val');
    assert.match(stderr, /warning: it has seen 3 images of 5 in training \(1 itself, 1 by a copy, 1 by another image/);
    for (const line of [
      /not seen +2 +0\.2500/,
      /all, seen ones too +5 +0\.4000/,
      /hood +\w+ +0\.5000/,
      /black=true +1 /,
    ])
      assert.match(stdout, line);
    assert.doesNotMatch(stderr, /No look/);
  });

  it('is the one that loops keep for test images, and takes no look at them', async () => {
    const found = await measured(model.digest.slice(0, 10), '--pool', 'cars');
    assert.deepEqual([found.measured, found.all.miou, found.all.images], ['all', 1, 3]);
    assert.deepEqual([found.model, found.size], [{ name: 'cars:1', digest: model.digest }, config.evaluationSize]);
    const written: string[] = [];
    const watched: ObjectStore = Object.assign(Object.create(store), {
      put: (...args: Parameters<ObjectStore['put']>) => {
        written.push(args[0]);
        return store.put(...args);
      },
    });
    const deps = { store: watched, home, root: '.', log: pino({ level: 'silent' }) };
    const request = { pool: 'cars', poolVersion: 1, scanKey: model.scan, modelDigest: model.digest, config };
    const signal = new AbortController().signal;
    const kept = await evaluateModel(deps, { ...request, size: config.evaluationSize, signal });
    assert.deepEqual([kept.testVersion, written], [found.testVersion, []]);
    assert.deepEqual((await readRegistry(store, digestOf(TAXONOMY))).looks, []);
    assert.match((await said('cars:1', '--pool', 'cars')).stderr, /No look at the test set was taken/);
  });

  it('says so if the model has seen every image, and if nobody knows', async () => {
    assert.equal((await measured('cars:1', '--pool', 'cars', '--split', 'train')).measured, 'none');
    const all = await said('cars:1', '--pool', 'cars', '--split', 'train');
    assert.match(all.stderr, /seen 2 images of 2 in training.*No figure here measures it/);
    await trained(store, { iteration: 2, network });
    assert.equal((await measured('cars:2', '--pool', 'cars')).measured, 'unknown');
    assert.match((await said('cars:2', '--pool', 'cars')).stderr, /training images of this model are unknown/);
  });

  it('is had of a file of ours beside its card, and of a network of somebody else', async () => {
    const folder = join(home, prefix);
    await mkdir(folder);
    const file = join(folder, 'scan.onnx');
    await writeFile(file, network);
    await writeFile(join(folder, 'model.json'), JSON.stringify(givenCard(TAXONOMY, SIDE, model.digest)));
    const ours = await measured(file, '--pool', 'cars');
    assert.deepEqual([ours.model, ours.measured, ours.all.miou], [{ name: file, digest: model.digest }, 'unknown', 1]);

    const foreign = join(folder, 'net.onnx');
    await run(PYTHON, ['-c', FOREIGN, foreign, String(SIDE)]);
    const description = {
      size: SIDE,
      mean: [0, 0, 0],
      std: [1, 1, 1],
      classes: ['background', 'hood', 'door', 'mirror'],
    };
    await writeFile(join(folder, 'net.json'), JSON.stringify(description));
    const card = ['--model-card', join(folder, 'net.json')];
    const theirs = await measured(foreign, '--pool', 'cars', '--split', 'val', ...card);
    assert.deepEqual([theirs.measured, theirs.all.images, theirs.all.miou > 0.35], ['unknown', 5, true]);
    const again = await measured(foreign, '--pool', 'cars', '--split', 'val', ...card);
    assert.deepEqual(again.model.digest, theirs.model.digest, 'the same file is found judged');
  });

  it('leaves out images that are gone, by name', async () => {
    await store.delete([row('test-1.png').imageUri]);
    const found = await measured('cars:1', '--pool', 'cars', '--set', 'badImageShare=0.5');
    assert.deepEqual([found.leftOut.map(({ fileName }) => fileName), found.all.images], [['test-1.png'], 2]);
  });

  it('is refused for another taxonomy, an unknown model, and sides without images', async () => {
    const refused = (words: RegExp, code: number, ...args: string[]) =>
      onPlace.refused(place(), words, code, 'model', 'eval', ...args);
    await emptyPool(store, 'tiny', OTHER);
    await refused(/which is not that of pool `tiny`/, 2, 'cars:1', '--pool', 'tiny');
    await refused(/there is no model `cars:9`/, 3, 'cars:9', '--pool', 'cars');
    await refused(/there is no model file .*nowhere\.onnx/, 3, join(home, 'nowhere.onnx'), '--pool', 'cars');
    await emptyPool(store, 'vans');
    await refused(/pool `vans`/, 4, 'cars:1', '--pool', 'vans');
  });
});
