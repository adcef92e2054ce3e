import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { z } from 'zod';
import { digestOf } from '../../../storage/digest.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { readRegistry, registerBenchmark, takeLook } from '../../../storage/registry.js';
import { TAXONOMY } from '../../domain/sample/rows.js';
import { startTestStore, type TestStore } from '../../support/servers/s3.js';
import { localEnvironment } from '../../support/servers/workflowEnvironment.js';
import { taxonomy as OTHER } from '../../training/tinyPool.js';
import type { Place } from './commands.js';
import * as onPlace from './commands.js';
import { emptyPool, trained } from './models.js';

const DIGEST = digestOf(TAXONOMY);
const listSchema = z.object({
  taxonomies: z.array(
    z.looseObject({
      pools: z.array(z.string()),
      inProduction: z.string().nullable(),
      history: z.array(z.looseObject({ name: z.string(), reason: z.string() })),
      looks: z.array(z.object({ testVersion: z.string(), used: z.number() })),
      models: z.array(z.looseObject({ name: z.string(), miou: z.number().nullable(), isInProduction: z.boolean() })),
    }),
  ),
  unreadable: z.array(z.object({ of: z.string(), why: z.string() })),
});
const changeSchema = z.looseObject({
  changed: z.boolean(),
  inProduction: z.string(),
  before: z.string().nullable(),
  by: z.string(),
  why: z.string(),
});
const signed = ['--by', 'Kim', '--why', 'better at night'];

/** Commands on a real store. */
describe('the commands of models', function () {
  this.timeout(120_000);
  let server: TestStore;
  let temporal: TestWorkflowEnvironment;
  let store: ObjectStore;
  let prefix: string;
  let home: string;
  before(async () => {
    [server, temporal] = await Promise.all([startTestStore(), localEnvironment()]);
    home = await mkdtemp(join(tmpdir(), 'partloop-models-'));
  });
  after(async () => {
    await Promise.all([server?.stop(), temporal?.teardown()]);
    await rm(home, { recursive: true, force: true });
  });
  beforeEach(async () => {
    prefix = randomUUID();
    store = server.open(prefix);
    await emptyPool(store, 'cars');
    await emptyPool(store, 'vans');
    await emptyPool(store, 'tiny', OTHER);
  });

  const place = (): Place => ({ server, temporal, home, prefix });
  const said = (...args: string[]) => onPlace.said(place(), ...args);
  const answered = <T>(schema: z.ZodType<T>, ...args: string[]) => onPlace.answered(place(), schema, ...args);
  const refused = (words: RegExp, code: number, ...args: string[]) => onPlace.refused(place(), words, code, ...args);
  const production = async (): Promise<number | null> => (await readRegistry(store, DIGEST)).model?.iteration ?? null;

  it('list candidates and history by taxonomy, for all pools that share it', async () => {
    const first = await trained(store, { iteration: 1, miou: 0.41, gate: 'first' });
    await trained(store, { iteration: 2, miou: 0.52 });
    await trained(store, { loop: 'tiny', iteration: 1, taxonomy: OTHER });
    await registerBenchmark(store, DIGEST, first, 'promoted by loop cars, iteration 1');
    await takeLook(store, DIGEST, { testVersion: 'e'.repeat(64), loop: 'cars', iteration: 2, candidate: first.digest });
    const { taxonomies } = await answered(listSchema, 'model', 'list', '--pool', 'vans');
    const [own] = taxonomies;
    assert.deepEqual([taxonomies.length, own?.pools], [1, ['cars', 'vans']]);
    assert.deepEqual(
      own?.models.map(({ name, miou, isInProduction }) => [name, miou, isInProduction]),
      [
        ['cars:2', 0.52, false],
        ['cars:1', 0.41, true],
      ],
    );
    assert.deepEqual([own?.inProduction, own?.history.map(({ name }) => name)], ['cars:1', ['cars:1']]);
    assert.deepEqual(own?.looks, [{ testVersion: 'e'.repeat(64), used: 1 }]);
    assert.equal(
      (await answered(listSchema, 'model', 'list', '--taxonomy', 'two-sides')).taxonomies[0]?.models.length,
      1,
    );
    const all = await said('model', 'list');
    assert.match(all.stderr, /in production: cars:1 since .*promoted by loop cars/);
    assert.match(all.stdout, /cars:1 +[0-9a-f]{12} +now +0\.4100/);
    assert.match(all.stdout, /tiny:1/);
    await refused(/there is no pool `trucks`; there is /, 3, 'model', 'list', '--pool', 'trucks');
  });

  it('list and promote an earlier attempt by its number, and a model of a deleted loop by its digest', async () => {
    await trained(store, { iteration: 1, runId: 'a', recordedAt: '2026-01-01T00:00:00Z' });
    await trained(store, { iteration: 1, runId: 'b', recordedAt: '2026-01-02T00:00:00Z' });
    const gone = { ...(await trained(store, { loop: 'old', iteration: 4 })), iteration: 5 };
    await registerBenchmark(store, DIGEST, gone, 'promoted by loop old, iteration 5');
    const names = async () =>
      (await answered(listSchema, 'model', 'list', '--pool', 'cars')).taxonomies[0]?.models.map(({ name }) => name);
    assert.deepEqual((await names())?.toSorted(), ['cars:1', 'cars:1@1', 'old:4', 'old:5']);
    const change = await answered(changeSchema, 'model', 'promote', 'cars:1@1', ...signed);
    assert.deepEqual([change.inProduction, change.before], ['cars:1@1', 'old:5']);
  });

  it('list what can be read, and name what cannot', async () => {
    await trained(store, { iteration: 1 });
    const model = await trained(store, { iteration: 2 });
    await store.put(model.card, '{');
    const { taxonomies, unreadable } = await answered(listSchema, 'model', 'list', '--pool', 'cars');
    assert.deepEqual(
      taxonomies[0]?.models.map(({ name }) => name),
      ['cars:1'],
    );
    assert.deepEqual(
      unreadable.map(({ of }) => of),
      [model.card],
    );
    await refused(
      /there is no model `cars:2`; there is cars:1\nhint: .*model\.json cannot be read/,
      3,
      'model',
      'show',
      'cars:2',
    );
  });

  it('show training, decision, looks and history of one', async () => {
    const model = await trained(store, { iteration: 2 });
    await takeLook(store, DIGEST, { testVersion: 'e'.repeat(64), loop: 'cars', iteration: 2, candidate: model.digest });
    await said('model', 'promote', 'cars:2', ...signed);
    const { stderr } = await said('model', 'show', model.digest.slice(0, 8));
    for (const words of [
      /model cars:2, [0-9a-f]{64}/,
      /given at 64 pixels, 1 iteration, mIoU on validation images 0\.4000/,
      /promoted by Kim: better at night/,
      /decision: held\n {2}the gain is too small/,
      /look 1 of 3 planned ones at this test set; 2 are left/,
    ])
      assert.match(stderr, words);
    const shown = z.looseObject({
      isThere: z.boolean(),
      decision: z.looseObject({ gate: z.string() }),
      looks: z.object({ used: z.number(), planned: z.number(), left: z.number(), testVersion: z.string() }),
      production: z.array(z.looseObject({ by: z.string(), why: z.string() })),
    });
    const { looks, production: entries, isThere } = await answered(shown, 'model', 'show', 'cars:2');
    assert.deepEqual([looks.used, looks.left, isThere, entries[0]?.by], [1, 2, true, 'Kim']);
  });

  it('put a model into production and take it back, and say what was there before and how to undo it', async () => {
    for (const iteration of [1, 2, 3]) await trained(store, { iteration });
    const first = await answered(changeSchema, 'model', 'promote', 'cars:1', ...signed);
    assert.deepEqual([first.changed, first.inProduction, first.before], [true, 'cars:1', null]);
    const second = await said('model', 'promote', 'cars:2', '--pool', 'vans', ...signed);
    assert.match(second.stderr, /cars:2 \([0-9a-f]{12}\) is in production: promoted by Kim: better at night/);
    assert.match(second.stderr, /Before it was cars:1\. `partloop model rollback cars --why …` puts it back\./);
    assert.equal((await answered(changeSchema, 'model', 'promote', 'cars:2', ...signed)).changed, false);
    await said('model', 'promote', 'cars:3', ...signed);
    const back = await said('model', 'rollback', 'vans', ...signed);
    assert.match(back.stderr, /cars:2 .* is in production: rolled back by Kim: better at night/);
    assert.match(back.stderr, /Before it was cars:3\. `partloop model promote cars:3 --why …` puts it back\./);
    assert.equal(await production(), 2);
    await said('model', 'rollback', 'cars', ...signed);
    assert.equal(await production(), 1);
    await refused(/no model was in production before this one/, 2, 'model', 'rollback', 'cars', ...signed);
    const { history } = await readRegistry(store, DIGEST);
    assert.deepEqual(
      history.map((entry) => [entry.model.iteration, entry.rollback ?? false, entry.by]),
      [
        [1, false, 'Kim'],
        [2, false, 'Kim'],
        [3, false, 'Kim'],
        [2, true, 'Kim'],
        [1, true, 'Kim'],
      ],
    );
  });

  it('go back further if asked, and only the way that production came', async () => {
    for (const iteration of [1, 2, 3, 4]) await trained(store, { iteration });
    for (const name of ['cars:1', 'cars:2', 'cars:3']) await said('model', 'promote', name, ...signed);
    await refused(
      /did not come from `cars:4`; it came from cars:1, cars:2/,
      2,
      'model',
      'rollback',
      'cars',
      '--to',
      'cars:4',
      ...signed,
    );
    const change = await answered(changeSchema, 'model', 'rollback', 'cars', '--to', 'cars:1', ...signed);
    assert.deepEqual([change.inProduction, change.before], ['cars:1', 'cars:3']);
    await refused(/it came from no model/, 2, 'model', 'rollback', 'cars', '--to', 'cars:2', ...signed);
  });

  it('refuse what they cannot do, and change nothing', async () => {
    await trained(store, { iteration: 1 });
    const lost = await trained(store, { iteration: 2 });
    await store.delete([lost.scan]);
    await trained(store, { loop: 'tiny', iteration: 1, taxonomy: OTHER });
    await refused(/there is no model `cars:9`; there is/, 3, 'model', 'promote', 'cars:9', ...signed);
    await refused(/there is no model `deadbeef`/, 3, 'model', 'promote', 'deadbeef', ...signed);
    await refused(
      /cannot go into production: loops\/cars\/.*scan\.onnx is gone/,
      3,
      'model',
      'promote',
      'cars:2',
      ...signed,
    );
    await refused(
      /is of taxonomy two-sides .* not that of pool `cars`/,
      2,
      'model',
      'promote',
      'tiny:1',
      '--pool',
      'cars',
      ...signed,
    );
    await refused(/--why is empty/, 2, 'model', 'promote', 'cars:1', '--by', 'Kim', '--why', ' ');
    await refused(/no model is in production for pool `cars`/, 2, 'model', 'rollback', 'cars', ...signed);
    assert.equal(await production(), null);
  });

  it('do not go back to a model whose file is gone', async () => {
    const first = await trained(store, { iteration: 1 });
    await trained(store, { iteration: 2 });
    for (const name of ['cars:1', 'cars:2']) await said('model', 'promote', name, ...signed);
    await store.delete([first.scan]);
    await refused(/model `cars:1` cannot go into production/, 3, 'model', 'rollback', 'cars', ...signed);
    assert.equal(await production(), 2);
    assert.match((await said('model', 'show', 'cars:1')).stderr, /its file .* is gone/);
  });
});
