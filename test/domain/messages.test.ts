import assert from 'node:assert/strict';
import fc from 'fast-check';
import { PartloopError } from '../../domain/base/errors.js';
import { loopConfigSchema, poolDefaults } from '../../domain/config.js';
import { resolveConfig, startLoopRequestSchema } from '../../domain/loop/startRequest.js';
import { parseRequest } from '../../domain/settings/parse.js';
import { mergeSettings } from '../../domain/settings/settings.js';

describe('the input of startLoop', () => {
  it('may be empty, null or missing', () => {
    for (const input of [{}, null, undefined])
      assert.equal(parseRequest(startLoopRequestSchema, input, 'x').iterations, 1);
  });

  it("takes the request first, then its settings, then the pool's defaults", () => {
    const defaults = { chunkSize: 7, train: { iterations: 11, imageSize: 64 }, scan: { folds: 3 } };
    const request = parseRequest(
      startLoopRequestSchema,
      { chunkSize: 5, settings: { chunkSize: 6, train: { iterations: 12 } } },
      'x',
    );
    const config = resolveConfig(request, 'cars', defaults);
    assert.deepEqual(
      [config.chunkSize, config.train.iterations, config.train.imageSize, config.scan.folds],
      [5, 12, 64, 3],
    );
  });

  it('names a setting that is not known', () => {
    assert.throws(
      () => parseRequest(startLoopRequestSchema, { settings: { train: { colour: 1 } } }, 'x'),
      (error) => error instanceof PartloopError && /`settings\.train\.colour`/.test(error.message),
    );
  });

  it('refuses to favour rare classes by weights and by sampling at once, and sampling weights that sum to zero', () => {
    const refused = (train: Record<string, unknown>, words: RegExp): void => {
      const request = parseRequest(startLoopRequestSchema, { settings: { train } }, 'x');
      assert.throws(() => resolveConfig(request, 'cars', {}), words);
    };
    refused({ classWeightExponent: 0.8, imageWeightExponent: 0.5 }, /train\.imageWeightExponent.*twice over/);
    refused({ loss: 'sum', lossWeights: { ce: 0 } }, /train\.lossWeights/);
  });

  it('is valid with the defaults of a pool of any size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2_000_000 }), (images) => {
        const config = resolveConfig(startLoopRequestSchema.parse({}), 'cars', poolDefaults(images));
        assert.deepEqual(loopConfigSchema.parse(config), config);
      }),
    );
  });
});

describe('mergeSettings', () => {
  it('keeps fields that the upper layer does not name', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.integer()), fc.dictionary(fc.string(), fc.integer()), (base, over) => {
        assert.deepEqual(mergeSettings(base, over), { ...base, ...over });
      }),
    );
  });

  it('keeps a field called like the prototype as a field, so that the schema can refuse it', () => {
    const over: unknown = JSON.parse('{"__proto__": {"iterations": 3}}');
    const merged = mergeSettings({ iterations: 1 }, over);
    assert.deepEqual(Object.keys(merged as object), ['iterations', '__proto__']);
    assert.equal(Object.getPrototypeOf(merged), Object.prototype);
  });
});
