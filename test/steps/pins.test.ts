import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { pino } from 'pino';
import { z } from 'zod';
import { createDrawActivities } from '../../activities/draw.js';
import { planScan } from '../../activities/scanPlan.js';
import { PartloopError } from '../../domain/base/errors.js';
import { loopConfigSchema } from '../../domain/config.js';
import { scanPlanSchema } from '../../domain/scan/judge/plan.js';
import type { IterationContext, Step } from '../../domain/steps.js';
import type { ActivityDeps } from '../../steps/deps.js';
import { pinned } from '../../steps/pins.js';
import { reviewsFor } from '../../steps/reviews.js';
import { digestOfTaxonomy } from '../../storage/digest.js';
import { keys } from '../../storage/keys.js';
import { openPool, type Pool } from '../../storage/pool/pool.js';
import { registerBenchmark } from '../../storage/registry.js';
import { appendReviews } from '../../storage/reviews.js';
import { readJson } from '../../storage/tables/json.js';
import { ulid } from '../../storage/ulid.js';
import { trainedCard } from '../activities/results.js';
import { idOf, indexRow, TAXONOMY } from '../domain/sample/rows.js';
import { ROOT } from '../support/binaries.js';
import { memoryStore } from '../support/standIns/memoryStore.js';

const context = (fields: Partial<IterationContext> = {}): IterationContext => ({
  ...{ loop: 'cars', iteration: 1, previous: null, force: null },
  config: loopConfigSchema.parse({ pool: 'cars', chunkSize: 20, scan: { folds: 2 } }),
  ...fields,
});
const replayed = (from: Step): IterationContext => context({ force: { from, token: 't' } });

describe('an iteration that is repeated without a record of its work, as after a termination', () => {
  let deps: ActivityDeps;
  let store: ReturnType<typeof memoryStore>;
  let pool: Pool;

  beforeEach(async () => {
    store = memoryStore();
    deps = { store, home: tmpdir(), root: ROOT, log: pino({ level: 'silent' }) };
    await store.put(keys.taxonomy('cars'), JSON.stringify(TAXONOMY));
    pool = await openPool(store, 'cars');
    await add(1, 8);
  });

  async function add(from: number, to: number): Promise<void> {
    const rows = Array.from({ length: to - from + 1 }, (_, at) => indexRow(from + at, { split: 'train' }));
    for (const { imageUri, labelUri } of rows) {
      await store.put(imageUri, 'picture');
      await store.put(labelUri, 'label');
    }
    await pool.append(() => rows);
  }

  const draw = (of = context()) => createDrawActivities(deps).draw({ context: of, results: {} });

  it('draws from the same pool version even if images came since; a replay from draw takes the newest', async () => {
    const first = await draw();
    await add(9, 12);
    const again = await draw();
    assert.deepEqual([again.digest, again.outcome], [first.digest, 'hit']);
    assert.equal((await draw(replayed('scan'))).digest, first.digest);
    assert.equal((await draw(replayed('draw'))).facts.poolVersion, 2);
  });

  it('draws from the newest version if the earlier draw failed', async () => {
    const lost = (await pool.readIndex(1)).map(({ imageUri }) => imageUri);
    await store.delete(lost);
    await assert.rejects(draw(), /none of the 8 drawn images/);
    await add(9, 12);
    for (const key of lost) await store.put(key, 'picture');
    assert.equal((await draw()).facts.poolVersion, 2);
  });

  it('draws from the newest version as a standalone scan, since a person may have repaired the pool', async () => {
    const alone = () => createDrawActivities(deps).draw({ context: context(), results: {}, isAlone: true });
    assert.equal((await alone()).facts.poolVersion, 1);
    await add(9, 12);
    assert.equal((await alone()).facts.poolVersion, 2);
  });

  it('keeps its judges after its own model, or that of another loop, was promoted', async () => {
    await register('trucks', 1, 1);
    const first = await planned();
    assert.deepEqual(first.judges, ['models/trucks-1.json']);
    await register('cars', 1, 2);
    await register('trucks', 2, 3);
    assert.deepEqual(await planned(), first);
    assert.deepEqual(await planned(replayed('sample')), first);
  });

  it('never has its own model as judge, neither in a replay nor after a version that kept no record', async () => {
    await register('trucks', 1, 1);
    await register('cars', 1, 2);
    await register('cars', 2, 3);
    assert.deepEqual((await planned()).judges, ['models/trucks-1.json']);
    assert.deepEqual((await planned(replayed('scan'))).judges, ['models/trucks-1.json']);
    assert.deepEqual((await planned(context({ loop: 'vans' }))).judges, ['models/cars-2.json']);
  });

  it('scans with the same reviews as before, and in a replay from scan with all', async () => {
    const had = await reviewsFor(deps, context());
    await had.keep();
    await appendReviews(store, 'cars', ulid(new Date('2026-01-02')), null, []);
    assert.deepEqual((await reviewsFor(deps, context())).value.keys, []);
    assert.equal((await reviewsFor(deps, replayed('scan'))).value.keys.length, 1);
  });

  async function register(loop: string, iteration: number, id: number): Promise<void> {
    const card = `models/${loop}-${iteration}.json`;
    const known = trainedCard(64, idOf(id));
    const list = 'models/training-list.json';
    await store.put(list, JSON.stringify({ images: [] }));
    await store.put(card, JSON.stringify({ ...known, trainedOn: { ...known.trainedOn, list } }));
    const model = { ...{ loop, iteration, card }, scan: `models/${loop}-${iteration}.onnx`, digest: idOf(id) };
    await registerBenchmark(store, digestOfTaxonomy(pool.taxonomy), model, 'a test');
  }

  async function planned(of = context()): Promise<{ planKey: string; judges: string[] }> {
    const { planKey } = await planScan(deps, of, { draw: await draw(of) });
    const { judges } = await readJson(store, planKey, scanPlanSchema);
    return { planKey, judges: judges.flatMap((judge) => (judge.kind === 'model' ? [judge.cardKey] : [])) };
  }
});

describe('a value that a step found and keeps', () => {
  const pin = { name: 'pool-version', step: 'draw', schema: z.number() } as const;
  const log = pino({ level: 'silent' });
  const found = (store: ReturnType<typeof memoryStore>, value: number) =>
    pinned({ store, log }, context(), pin, async () => value);

  it('is the first one kept; a step that found another meanwhile is told to try again', async () => {
    const store = memoryStore();
    const [one, other, same] = [await found(store, 1), await found(store, 2), await found(store, 1)];
    await one.keep();
    await same.keep();
    await assert.rejects(other.keep(), (error) => error instanceof PartloopError && error.code === 'store-conflict');
    assert.equal((await found(store, 3)).value, 1);
  });

  it('is found again, and kept, if any bit of it is damaged', async () => {
    const store = memoryStore();
    await (await found(store, 1)).keep();
    const [key = ''] = store.keys.filter((name) => name.includes('/pins/'));
    const { body } = await store.get(key);
    for (let byte = 0; byte < body.length; byte++) {
      const damaged = body.slice();
      damaged[byte] = (damaged[byte] ?? 0) ^ 1;
      await store.put(key, damaged);
      const again = await found(store, 2);
      assert.equal(again.value, 2, `byte ${byte}`);
      await again.keep();
      assert.equal((await found(store, 3)).value, 2);
    }
  });
});
