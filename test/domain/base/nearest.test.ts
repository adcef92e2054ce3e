import assert from 'node:assert/strict';
import fc from 'fast-check';
import { nearest } from '../../../domain/base/nearest.js';

describe('the nearest name', () => {
  const names = ['iterations', 'imageSize', 'imageSizes', 'batchSize', 'ema', 'loss'];

  it('is found despite one wrong, missing, doubled or swapped letter, another case, or dashes', () => {
    for (const word of ['iteratins', 'iterationss', 'itreations', 'Iterations', 'iterAtion5'])
      assert.equal(nearest(word, names), 'iterations', word);
    assert.equal(nearest('batch-size', names), 'batchSize');
    assert.equal(nearest('batch_size', names), 'batchSize');
    assert.equal(nearest('imagesize', names), 'imageSize');
  });

  it('is none if nothing is near', () => {
    for (const word of ['colour', 'x', '', 'iterationsiterations', 'ship'])
      assert.equal(nearest(word, names), undefined);
  });

  it('is the name itself if that exists, and any text may be asked for', () => {
    fc.assert(
      fc.property(fc.constantFrom(...names), (name) => {
        assert.equal(nearest(name, names), name);
      }),
    );
    fc.assert(
      fc.property(fc.string({ maxLength: 2_000, unit: 'binary' }), (word) => {
        nearest(word, names);
      }),
    );
  });
});
