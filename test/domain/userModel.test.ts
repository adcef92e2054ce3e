import assert from 'node:assert/strict';
import { PartloopError } from '../../domain/base/errors.js';
import { dsmlr18 } from '../../domain/taxonomies/dsmlr18.js';
import { labelNames } from '../../domain/taxonomy.js';
import { logitsOfLabels, userModelSchema } from '../../domain/userModel.js';

const names = labelNames(dsmlr18);
const model = (classes: string[], classMap: Record<string, string> = {}) =>
  userModelSchema.parse({ size: 256, classes, classMap });

describe('the classes of a user’s model', () => {
  it('are found by name, in any order', () => {
    const reversed = names.toReversed();
    assert.deepEqual(
      logitsOfLabels(model(reversed), dsmlr18),
      names.map((_, value) => [names.length - 1 - value]),
    );
  });

  it('may have other names, several may map to one class, and some to none', () => {
    const classes = [...names.map((name) => (name === 'wheel' ? 'front_wheel' : name)), 'rear_wheel', 'sky'];
    const map = { front_wheel: 'wheel', rear_wheel: 'wheel', sky: 'background' };
    const sources = logitsOfLabels(model(classes, map), dsmlr18);
    assert.deepEqual(sources[names.indexOf('wheel')], [names.indexOf('wheel'), names.length]);
    assert.deepEqual(sources[0], [0, names.length + 1]);
  });

  it('are refused with every class that only one side has', () => {
    const classes = [...names.filter((name) => name !== 'wheel'), 'tyre'];
    assert.throws(
      () => logitsOfLabels(model(classes, { tire: 'wheel' }), dsmlr18),
      (error) =>
        error instanceof PartloopError &&
        error.code === 'model-invalid' &&
        /tyre +only in the model\n +wheel +only in taxonomy dsmlr-18\n +tire +in `classMap`/.test(error.message),
    );
  });
});
