import assert from 'node:assert/strict';
import fc from 'fast-check';
import { unknownPart, withUnknown } from '../../../domain/base/recorded.js';
import {
  type BenchmarkRegistry,
  benchmarkBefore,
  benchmarkRegistrySchema,
  EMPTY_REGISTRY,
  type RegisteredModel,
  withBenchmark,
} from '../../../domain/decide/decision.js';
import { productionStack, withGatePromotion, withPromotion, withRollback } from '../../../domain/decide/production.js';
import { idOf } from '../sample/rows.js';

const model = (n: number): RegisteredModel => ({
  ...{ scan: `m${n}`, card: `c${n}`, digest: idOf(n), loop: 'cars', iteration: n },
});
const signed = { by: 'Kim', why: 'a test', at: 'now' };
const stackOf = (registry: BenchmarkRegistry) => productionStack(registry.history).map(({ model: of }) => of.iteration);
const rolledBack = (registry: BenchmarkRegistry, to: RegisteredModel | null = null): BenchmarkRegistry =>
  withRollback(registry, { from: registry.model ?? assert.fail('nothing in production'), to }, signed);

type Change = { kind: 'gate' | 'person'; n: number } | { kind: 'back'; steps: number };
const changes: fc.Arbitrary<Change[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constantFrom('gate' as const, 'person' as const), n: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ kind: fc.constant('back' as const), steps: fc.integer({ min: 1, max: 3 }) }),
  ),
  { maxLength: 30 },
);

/** The registry after changes, beside a plain list of the models that led to the present one. */
function after(list: readonly Change[]): { registry: BenchmarkRegistry; plain: (number | null)[]; made: number } {
  let registry = EMPTY_REGISTRY;
  const plain: (number | null)[] = [];
  let made = 0;
  for (const change of list) {
    if (change.kind === 'back') {
      const target = plain.at(-1 - change.steps);
      if (target == null || target === plain.at(-1)) continue;
      const before = plain.slice(0, -1).lastIndexOf(target);
      registry = rolledBack(registry, model(target));
      plain.length = before + 1;
      made++;
      continue;
    }
    const isKnown = registry.history.some((entry) => entry.model.iteration === change.n);
    const moves = change.kind === 'gate' ? !isKnown : plain.at(-1) !== change.n;
    registry =
      change.kind === 'gate'
        ? withBenchmark(registry, model(change.n), 'better', 'now')
        : withPromotion(registry, model(change.n), signed);
    if (moves) plain.push(change.n);
    if (moves) made++;
  }
  return { registry, plain, made };
}

describe('the model in production', () => {
  it('is reached by the models that a plain list of changes has, whatever was promoted and rolled back', () => {
    fc.assert(
      fc.property(changes, (list) => {
        const { registry, plain, made } = after(list);
        assert.deepEqual(stackOf(registry), plain);
        assert.equal(registry.model?.iteration, plain.at(-1));
        assert.equal(registry.history.length, made, 'the history loses nothing');
        assert.deepEqual(registry.history.at(-1)?.model ?? null, registry.model);
      }),
    );
  });

  it('is the one before again after a promotion and its rollback', () => {
    fc.assert(
      fc.property(changes, (list) => {
        const { registry } = after([{ kind: 'person', n: 1 }, ...list]);
        const back = rolledBack(withPromotion(registry, model(9), signed));
        assert.deepEqual([back.model, stackOf(back)], [registry.model, stackOf(registry)]);
        const again = withPromotion(back, model(9), signed);
        assert.deepEqual([again.model?.iteration, stackOf(again)], [9, [...stackOf(registry), 9]]);
      }),
    );
  });

  it('keeps who changed it and why, and stays readable for a version that does not know these fields', () => {
    const older = benchmarkRegistrySchema.extend({
      history: benchmarkRegistrySchema.shape.history.element.pick({ model: true, at: true, reason: true }).array(),
    });
    fc.assert(
      fc.property(changes, (list) => {
        const { registry } = after(list);
        const read = older.parse(registry);
        // As that version writes it again, after a promotion of its own.
        const { model: _, ...listed } = { ...registry };
        const written = withUnknown(unknownPart(older, listed), withBenchmark(read, model(8), 'better', 'later'));
        const { history } = benchmarkRegistrySchema.parse(written);
        assert.deepEqual(history.slice(0, registry.history.length), registry.history);
        assert.equal(productionStack(history).at(-1)?.model.iteration, 8);
      }),
    );
    const entry = withPromotion(EMPTY_REGISTRY, model(1), signed).history[0];
    assert.deepEqual(entry, {
      model: model(1),
      at: 'now',
      reason: 'promoted by Kim: a test',
      by: 'Kim',
      why: 'a test',
    });
  });

  it('is not rolled back by a person who saw another one there, nor beyond the first', () => {
    const first = withPromotion(EMPTY_REGISTRY, model(1), signed);
    const second = withPromotion(first, model(2), signed);
    const third = withPromotion(second, model(3), signed);
    assert.throws(() => withRollback(third, { from: model(2), to: null }, signed), /changed meanwhile/);
    assert.throws(() => rolledBack(first), /no model was in production before/);
    assert.throws(() => rolledBack(third, model(3)), /did not come from this model/);
    assert.throws(() => rolledBack(rolledBack(third), model(3)), /did not come from this model/);
    assert.deepEqual(rolledBack(third, model(1)).model, model(1));
    assert.equal(withPromotion(third, model(3), signed), third);
  });

  it('is replaced by the gate only if the gate compared with it', () => {
    const at = { reason: 'better', at: 'now' };
    const first = withPromotion(EMPTY_REGISTRY, model(1), signed);
    const promoted = withGatePromotion(first, { candidate: model(2), rival: model(1) }, at);
    assert.deepEqual(promoted.model, model(2));
    const moved = withPromotion(first, model(5), signed);
    for (const rival of [model(1), null])
      assert.throws(() => withGatePromotion(moved, { candidate: model(2), rival }, at), /while the gate compared/);
    assert.deepEqual(withGatePromotion(EMPTY_REGISTRY, { candidate: model(2), rival: null }, at).model, model(2));
    // The promotion happened, and a person took it back before it was repeated.
    const back = rolledBack(promoted);
    assert.equal(withGatePromotion(back, { candidate: model(2), rival: model(1) }, at), back);
  });

  it('of before an iteration is found after rollbacks too', () => {
    const third = [1, 2, 3].reduce((registry, n) => withPromotion(registry, model(n), signed), EMPTY_REGISTRY);
    const back = rolledBack(third, model(1));
    assert.deepEqual(benchmarkBefore(back, { loop: 'cars', iteration: 2 }), model(1));
    assert.deepEqual(benchmarkBefore(back, { loop: 'cars', iteration: 4 }), model(1));
  });
});
