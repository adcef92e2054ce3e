import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isNamed, modelName, modelReference, type Named, shortDigest } from '../../../domain/decide/modelName.js';
import { digestOf } from '../../../storage/digest.js';

/** Models as a catalogue has them: attempts of an iteration are disjoint, and one model of it is current at most. */
const catalogue: fc.Arbitrary<Named[]> = fc
  .array(
    fc.record({
      loop: fc.constantFrom('cars', 'cars-2', 'a', 'baseline'),
      iteration: fc.option(fc.integer({ min: 1, max: 999_999 })),
      attempts: fc.integer({ min: 0, max: 4 }),
      current: fc.integer({ min: -1, max: 4 }),
    }),
    { maxLength: 8 },
  )
  .map((iterations) => {
    const seen = new Set<string>();
    return iterations.flatMap(({ loop, iteration, attempts, current }, at): Named[] => {
      const key = `${loop} ${iteration}`;
      if (seen.has(key)) return [];
      seen.add(key);
      const count = iteration === null ? 1 : attempts;
      return Array.from({ length: count + 1 }, (_, n) => ({
        model: { loop, iteration, digest: digestOf(at * 10 + n) },
        attempts: n === count || iteration === null ? [] : [n + 1],
        isCurrent: n === Math.min(current, count),
      }));
    });
  });

describe('the name of a model', () => {
  it('means this model and no other', () => {
    fc.assert(
      fc.property(catalogue, (models) => {
        for (const model of models) {
          const reference = modelReference(modelName(model));
          assert.ok(reference !== null, modelName(model));
          assert.deepEqual(
            models.filter((other) => isNamed(other, reference)),
            [model],
          );
        }
      }),
    );
  });

  it('may be any beginning of its digest that has eight digits', () => {
    const model: Named = { model: { loop: 'cars', iteration: 3, digest: digestOf(5) }, attempts: [1], isCurrent: true };
    for (let digits = 8; digits <= 64; digits++) {
      const reference = modelReference(digestOf(5).slice(0, digits));
      assert.ok(reference !== null && isNamed(model, reference));
    }
    assert.equal(modelReference(digestOf(5).slice(0, 7)), null);
    const other = modelReference(shortDigest(digestOf(6)));
    assert.equal(other === null || isNamed(model, other), false);
  });

  it('may name the attempt of the model that its iteration stands for', () => {
    const model: Named = {
      model: { loop: 'cars', iteration: 3, digest: digestOf(5) },
      attempts: [1, 2],
      isCurrent: true,
    };
    const named = (text: string): boolean => isNamed(model, modelReference(text) ?? assert.fail(text));
    assert.deepEqual(['cars:3', 'cars:3@1', 'cars:3@2', 'cars:3@3', 'vans:3', 'cars:baseline'].map(named), [
      ...[true, true, true],
      ...[false, false, false],
    ]);
  });

  it('is nothing else', () => {
    for (const text of [
      '',
      'cars',
      'cars:',
      'cars:x',
      'Cars:3',
      'cars:baseline@1',
      'cars:3@',
      'a/b:3',
      '12345678x',
      'cars:3:4',
    ])
      assert.equal(modelReference(text), null, text);
  });
});
