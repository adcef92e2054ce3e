import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { EMPTY_REGISTRY } from '../../../domain/decide/decision.js';
import { withAttempt, withConfig } from '../../../domain/loop/state.js';
import { keys } from '../../../storage/keys.js';
import { updateLoopState } from '../../../storage/loopState.js';
import { registerBenchmark } from '../../../storage/registry.js';
import { testConfig } from '../../support/standIns/fakeActivities.js';
import { type MemoryStore, memoryStore } from '../../support/standIns/memoryStore.js';
import { stepResult } from '../../support/standIns/stepResult.js';
import { aged, ago, amounts, context, step, sweep } from './kit.js';

/** Who still knows a model. */
const KNOWN_BY = ['record', 'commit', 'card', 'registry', 'history'] as const;
interface Model {
  knownBy: (typeof KNOWN_BY)[number] | 'nobody';
  /** How old its evaluations are, in days, each with how many folders. */
  ages: number[];
}

const modelArb: fc.Arbitrary<Model> = fc.record({
  knownBy: fc.constantFrom(...KNOWN_BY, 'nobody' as const, 'nobody' as const),
  ages: fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 3 }),
});

const digestOf = (index: number): string => createHash('sha256').update(`model ${index}`).digest('hex');
const placeOf = (index: number): string => keys.evaluation(digestOf(index), 't', 64, 1);
const evaluationsOf = (store: MemoryStore, index: number): string[] =>
  store.keys.filter((key) => key.startsWith(`evaluations/${digestOf(index)}/`));

/** A loop's model with evaluations; what says that it is there is as old as the rest. */
async function made(store: MemoryStore, index: number, { knownBy, ages }: Model): Promise<void> {
  const digest = digestOf(index);
  for (const [at, days] of ages.entries())
    await aged(store, days, async () => {
      const folder = keys.keptEvaluation(placeOf(index), `01ARZ3NDEKTSV4RRFFQ69G5FA${at}`);
      for (const file of ['images.parquet', 'summary.json', 'commit.json']) await store.put(`${folder}${file}`, '{}');
      await store.put(keys.evaluationInHand(digest), '{}');
    });
  const images = `${placeOf(index)}images.parquet`;
  const model = { scan: 'scan.onnx', card: 'model.json', digest, loop: 'cars', iteration: 1 };
  await aged(store, 30, async () => {
    if (knownBy === 'record')
      await updateLoopState(store, 'cars', (state) =>
        withAttempt(state, index + 1, {
          ...{ runId: 'r', status: 'finished', error: null, config: testConfig, force: null },
          ...{ recordedAt: ago(30).toISOString(), results: { evaluate: stepResult('evaluate', { images }) } },
        }),
      );
    else if (knownBy === 'commit') await step(store, context(index + 1), 'draw', 'pool', async () => undefined);
    if (knownBy === 'commit')
      await store.put(keys.pin('cars', index + 1, 'benchmark', 'c'.repeat(64)), JSON.stringify(model));
    if (knownBy === 'card')
      await store.put(
        keys.attempt('cars', index + 1, 'train', 'a'.repeat(64), 'b', 'model.json'),
        JSON.stringify({ files: { scan: digest } }),
      );
    if (knownBy === 'registry' || knownBy === 'history') {
      const taxonomy = digestOf(index + 1_000);
      await registerBenchmark(store, taxonomy, model, 'a test');
      if (knownBy === 'history')
        await registerBenchmark(store, taxonomy, { ...model, digest: digestOf(9_999) }, 'a better one');
    }
  });
}

describe('evaluations that nobody can compare any more', function () {
  this.timeout(120_000);

  it('go once the model is in no record and no registry and they are old; all others stay whole', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(modelArb, { minLength: 1, maxLength: 6 }), async (models) => {
        const store = memoryStore();
        for (const [index, model] of models.entries()) await made(store, index, model);
        const before = models.map((_, index) => evaluationsOf(store, index));
        const others = store.keys.filter((key) => !key.startsWith('evaluations/'));
        const told = await sweep(store, false);
        assert.deepEqual(await sweep(store, true), told);
        for (const [index, { knownBy, ages }] of models.entries()) {
          const goes = knownBy === 'nobody' && ages.every((days) => days > 7);
          assert.deepEqual(evaluationsOf(store, index), goes ? [] : before[index], `model ${index}`);
        }
        assert.deepEqual(
          store.keys.filter((key) => !key.startsWith('evaluations/')),
          others,
        );
        assert.deepEqual(amounts(await sweep(store, true)), {}, 'a second time there is nothing');
      }),
      { numRuns: 60 },
    );
  });

  it('stay while a record that may name them is damaged', async () => {
    const store = memoryStore();
    await made(store, 1, { knownBy: 'nobody', ages: [20] });
    await aged(store, 30, () => store.put(keys.benchmark('d'.repeat(64)), 'not json'));
    const swept = await sweep(store, true);
    assert.deepEqual([amounts(swept), swept.unreadable.length], [{}, 1]);
    await store.put(keys.benchmark('d'.repeat(64)), JSON.stringify(EMPTY_REGISTRY));
    assert.deepEqual(amounts(await sweep(store, true)), { evaluations: 4 });
  });
});

describe('reduced pictures', () => {
  const copies = async (store: MemoryStore): Promise<void> => {
    for (const side of [80, 160, 320])
      for (const key of [keys.derivativeImage('cars', side, 'a'.repeat(64)), keys.derivativeLabel('cars', side, 'b')])
        await aged(store, side === 320 ? 3 : 20, () => store.put(key, 'pixels'));
    const train = { ...testConfig.train, imageSize: 64 };
    await aged(store, 20, () => updateLoopState(store, 'loop', (state) => withConfig(state, { ...testConfig, train })));
  };
  const left = (store: MemoryStore): string[] => [
    ...new Set(store.keys.flatMap((key) => /derivatives\/(\d+)\//.exec(key)?.[1] ?? [])),
  ];

  it('go only on request, if they are old and of a size that no loop trains on', async () => {
    const store = memoryStore();
    await copies(store);
    assert.deepEqual(amounts(await sweep(store, true, undefined, false)), {});
    assert.deepEqual(amounts(await sweep(store, false)), { copies: 2 });
    assert.deepEqual(left(store), ['160', '320', '80']);
    assert.deepEqual(amounts(await sweep(store, true)), { copies: 2 });
    assert.deepEqual(left(store), ['320', '80']);
  });

  it('stay while anything runs, and while a loop may train on any size', async () => {
    const store = memoryStore();
    await copies(store);
    const running = { ids: ['scan:audit'], isOpen: () => false };
    assert.deepEqual(amounts(await sweep(store, true, running)), {});
    await store.put(keys.loopState('other'), 'not json');
    assert.deepEqual(amounts(await sweep(store, true)), {});
  });

  it('of a size that a retry of a failed iteration trains on stay', async () => {
    const store = memoryStore();
    await copies(store);
    const config = { ...testConfig, train: { ...testConfig.train, imageSize: 128 } };
    await updateLoopState(store, 'loop', (state) =>
      withAttempt(state, 1, {
        ...{ runId: 'r', status: 'failed', error: 'lost', config, force: null },
        ...{ recordedAt: ago(1).toISOString(), results: {} },
      }),
    );
    assert.deepEqual(amounts(await sweep(store, true)), {});
  });
});
