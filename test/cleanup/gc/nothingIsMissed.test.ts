import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { IterationContext } from '../../../domain/steps.js';
import { keys } from '../../../storage/keys.js';
import { type MemoryStore, memoryStore } from '../../support/standIns/memoryStore.js';
import { aged, context, open, replayOf, type Simple, step, sweep, train } from './kit.js';

/** What happens to a loop: a step or a training that ends, fails, is raced by another attempt, or is replayed. */
interface Deed {
  iteration: number;
  what: Simple;
  /** Which inputs it has, so that several digests of one step come about. */
  inputs: number;
  /** null, or the token of a replay. */
  force: string | null;
  saves: number;
  fails: boolean;
  racers: number;
  /** How old everything is that it writes, in days. */
  days: number;
}

const deedArb: fc.Arbitrary<Deed> = fc.record({
  iteration: fc.integer({ min: 1, max: 2 }),
  what: fc.constantFrom('draw', 'train', 'train', 'train'),
  inputs: fc.integer({ min: 1, max: 2 }),
  force: fc.option(fc.constantFrom('a', 'b')),
  saves: fc.integer({ min: 0, max: 4 }),
  fails: fc.boolean(),
  racers: fc.integer({ min: 1, max: 2 }),
  days: fc.integer({ min: 0, max: 20 }),
});

const contextOf = ({ iteration, what, force }: Deed): IterationContext =>
  force === null ? context(iteration) : replayOf(iteration, what === 'draw' ? 'draw' : 'train', force);

/** Do it; a failure is a part of the history. */
async function happen(store: MemoryStore, deed: Deed): Promise<void> {
  const { what, inputs, saves, fails } = deed;
  const once = (): Promise<unknown> =>
    what === 'train'
      ? train(store, contextOf(deed), inputs, { saves, fails })
      : step(store, contextOf(deed), what, inputs, () =>
          fails ? Promise.reject(new Error('lost')) : Promise.resolve(),
        );
  await aged(store, deed.days, () => Promise.allSettled(Array.from({ length: deed.racers }, once)));
}

/**
 * What whoever does the same again finds: its result, or the checkpoints that it goes on from. A replay's list may name
 * checkpoints that the training it borrowed them from has replaced since; it goes on from the others.
 */
async function again(store: MemoryStore, deed: Deed): Promise<unknown> {
  const { what, inputs } = deed;
  let found: string[] | null = null;
  const result =
    what === 'train'
      ? await train(store, contextOf(deed), inputs, {
          ...{ saves: 0, fails: true },
          trained: (trained) => {
            found = trained.found;
          },
        }).catch(() => null)
      : await step(store, contextOf(deed), what, inputs, () => Promise.reject(new Error('lost'))).catch(() => null);
  const named = result === null ? (found ?? []) : [String(result.outputs.out)];
  const heads = await Promise.all(named.map((key) => store.head(key)));
  const read = named.filter((_, at) => heads[at] !== null);
  if (result !== null || deed.force === null) assert.deepEqual(read, named);
  return { outcome: result?.outcome ?? null, read };
}

const copyOf = async (store: MemoryStore): Promise<MemoryStore> => {
  const copy = memoryStore();
  for (const key of store.keys) {
    const { modifiedAt } = (await store.head(key)) ?? assert.fail(key);
    copy.now = () => modifiedAt;
    await copy.put(key, (await store.get(key)).body);
  }
  copy.now = () => new Date();
  return copy;
};

describe('whatever happened to a loop, and whenever', function () {
  this.timeout(120_000);

  it('whoever does it again finds the same after a sweep as before it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(deedArb, { minLength: 1, maxLength: 12 }), async (deeds) => {
        const store = memoryStore();
        for (const deed of deeds) await happen(store, deed);
        const swept = await copyOf(store);
        await sweep(swept, true);
        for (const deed of deeds) assert.deepEqual(await again(swept, deed), await again(store, deed));
      }),
      { numRuns: 80 },
    );
  });

  it('a sweep takes what a dry run told, and leaves nothing for a second one', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(deedArb, { minLength: 1, maxLength: 12 }), async (deeds) => {
        const store = memoryStore();
        for (const deed of deeds) await happen(store, deed);
        const before = store.keys;
        const told = await sweep(store, false);
        assert.deepEqual(store.keys, before);
        const done = await sweep(store, true);
        assert.deepEqual(done, told);
        const objects = told.kinds.reduce((sum, kind) => sum + kind.objects, 0);
        assert.equal(store.keys.length, before.length - objects);
        assert.ok((await sweep(store, true)).kinds.every((kind) => kind.objects === 0));
      }),
      { numRuns: 100 },
    );
  });

  it('a sweep that ends at any of its requests is harmless, and the next one ends it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(deedArb, { minLength: 1, maxLength: 8 }), fc.nat(6), async (deeds, requests) => {
        const store = memoryStore();
        for (const deed of deeds) await happen(store, deed);
        const [whole, broken] = [await copyOf(store), await copyOf(store)];
        await sweep(whole, true);
        let left = requests;
        const dying = {
          ...broken,
          tryDelete: async (targets: readonly string[]) => {
            // Half of a request is done when the machine is lost.
            if (left-- <= 0) {
              await broken.tryDelete(targets.slice(0, Math.floor(targets.length / 2)));
              throw new Error('the machine is lost');
            }
            return broken.tryDelete(targets);
          },
        };
        await sweep(dying, true).catch(() => undefined);
        const halfway = await copyOf(broken);
        for (const deed of deeds) assert.deepEqual(await again(halfway, deed), await again(await copyOf(store), deed));
        await sweep(broken, true);
        assert.deepEqual(broken.keys, whole.keys);
      }),
      { numRuns: 60 },
    );
  });

  it('keeps every key that a loop has outside its steps', async () => {
    const store = memoryStore();
    const others = [
      keys.recipePin('cars', 1, 'train', 'a'.repeat(64)),
      keys.leftOut('cars', 1, 'b'.repeat(64)),
      keys.pin('cars', 1, 'benchmark', 'c'.repeat(64)),
      keys.scanModel('cars', 'scan.onnx'),
      keys.image('cars', 'd'.repeat(64)),
      keys.derivativeImage('cars', 64, 'd'.repeat(64)),
      `${keys.evaluation('e'.repeat(64), 't', 64, 1)}01ARZ3NDEKTSV4RRFFQ69G5FAV/images.parquet`,
    ];
    await aged(store, 400, async () => {
      for (const key of others) await store.put(key, 'x');
    });
    await sweep(store, true, open(), false);
    assert.deepEqual(store.keys, others.toSorted());
  });
});
