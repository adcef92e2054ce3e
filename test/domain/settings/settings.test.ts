import assert from 'node:assert/strict';
import fc from 'fast-check';
import { PartloopError } from '../../../domain/base/errors.js';
import { problemText } from '../../../domain/base/failures/problems.js';
import { fieldsOf } from '../../../domain/base/schemaFields.js';
import { loopConfigSchema, poolDefaults } from '../../../domain/config.js';
import { resolveConfig, startLoopRequestSchema } from '../../../domain/loop/startRequest.js';
import { standaloneConfig } from '../../../domain/scan/standalone.js';
import { poolDefaultsProblem } from '../../../domain/settings/loopConfig.js';
import { parseRequest } from '../../../domain/settings/parse.js';
import { mergeSettings, settingsProblems } from '../../../domain/settings/settings.js';

const textOf = (layer: unknown): string => settingsProblems(layer).map(problemText).join('; ');
const request = (settings: Record<string, unknown>) => parseRequest(startLoopRequestSchema, { settings }, 'x');
const refused =
  (code: string, words: RegExp) =>
  (error: unknown): boolean =>
    error instanceof PartloopError && error.code === code && words.test(error.message);

describe('a layer of settings', () => {
  it('may hold any part of the configuration', () => {
    const part = { train: { iterations: 3, augment: { flip: false } }, tune: { hours: null, space: { lrHead: null } } };
    for (const layer of [{}, part, poolDefaults(10), poolDefaults(10_000), poolDefaults(200_000)])
      assert.deepEqual(settingsProblems(layer), []);
  });

  it('is refused if a value stands in place of a group, with the fields of the group', () => {
    for (const value of [400, 'fast', null, true, [], [400]])
      assert.match(
        textOf({ train: value }),
        /^field `train`: .* not allowed.* group; it has preset, neck, .*iterations/,
      );
  });

  it('is refused if a group stands in place of a value, with the values allowed', () => {
    const words = /^field `train.iterations`: \{"x":1\} is not allowed; allowed: integer 1–10000000$/;
    assert.match(textOf({ train: { iterations: { x: 1 } } }), words);
  });

  it('names the group of a wrong field, its fields and the nearest of them', () => {
    const text = textOf({ train: { iteratons: 4 } });
    assert.match(text, /`train\.iteratons`: .*did you mean `train\.iterations`\? `train` has preset,/);
    assert.doesNotMatch(text, /chunkSize/);
    assert.match(
      textOf({ train: { augment: { angel: 4 } } }),
      /did you mean `train\.augment\.angle`\? `train\.augment` has/,
    );
    assert.match(textOf({ scan: { Folds: 3 } }), /did you mean `scan\.folds`/);
  });

  it('finds a field that stands outside its group', () => {
    assert.match(textOf({ iterations: 4 }), /did you mean `train\.iterations`\?/);
    assert.match(textOf({ batchsize: 4 }), /did you mean `train\.batchSize`\?/);
    assert.doesNotMatch(textOf({ unheardOf: 4 }), /did you mean/);
  });

  it('refuses values that are no number, out of bounds or of the wrong kind, with the value and the bounds', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, -1, 0, 1.5, 1e12, '400', '0x10', '', true, null])
      assert.match(textOf({ train: { iterations: value } }), /`train\.iterations`: .*allowed: integer 1–10000000$/);
  });

  it('is refused for every field alike if it holds a value of a kind that no setting has', () => {
    const paths = fieldsOf(loopConfigSchema).map(({ path }) => path.split('.'));
    for (const path of paths) {
      const layer = path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), { none: { such: 1 } });
      const [problem, ...others] = settingsProblems(layer);
      assert.deepEqual(problem?.path, path);
      assert.deepEqual(others, []);
    }
  });

  it('is the whole configuration or less: layers that are valid together stay valid when merged', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), fc.integer({ min: 2, max: 10 }), (iterations, folds) => {
        const merged = mergeSettings({ pool: 'cars', train: { iterations } }, { scan: { folds } });
        assert.deepEqual(loopConfigSchema.parse(merged).train.iterations, iterations);
      }),
    );
  });
});

describe('settings from several places', () => {
  it('are checked one by one: a good value does not hide a wrong one below it', () => {
    assert.throws(() => request({ train: 400 }), refused('input-invalid', /`settings\.train`: 400 is not allowed/));
  });

  it('take null over a value below if the setting allows null', () => {
    const config = resolveConfig(request({ tune: { hours: null } }), 'cars', { tune: { hours: 3 } });
    assert.equal(config.tune.hours, null);
  });

  it('name the pool’s file and its field if a person edited it badly', () => {
    for (const [defaults, words] of [
      [{ train: 400 }, /^pools\/cars\/defaults\.json is not valid: field `train`/],
      [{ train: { imageSize: 33 } }, /defaults\.json .*`train\.imageSize`: 33 is not allowed; .*multiple of 32/],
      ['{"train": {', /defaults\.json is not valid: it is not a JSON object/],
      [[], /defaults\.json is not valid/],
      [null, /defaults\.json is not valid/],
    ] as const) {
      assert.match(poolDefaultsProblem('cars', defaults) ?? '', words);
      assert.throws(() => resolveConfig(request({}), 'cars', defaults), refused('config-invalid', words));
    }
    assert.equal(poolDefaultsProblem('cars', poolDefaults(60)), null);
  });

  it('may not name another pool than the request', () => {
    assert.throws(() => resolveConfig(request({ pool: 'vans' }), 'cars', {}), /`settings\.pool`/);
    assert.equal(resolveConfig(request({ pool: 'cars' }), 'cars', {}).pool, 'cars');
  });
});

describe('settings that contradict each other', () => {
  const conflict = (train: Record<string, unknown>, words: RegExp): void =>
    assert.throws(() => resolveConfig(request({ train }), 'cars', poolDefaults(60)), refused('input-invalid', words));
  const fine = (train: Record<string, unknown>): void => {
    resolveConfig(request({ train }), 'cars', poolDefaults(60));
  };

  it('include one image of 32 pixels with batch norm', () => {
    conflict({ batchSize: 1, imageSize: 32 }, /`train\.batchSize`: batch norm needs more than one value/);
    conflict({ batchSize: 1, imageSize: 64, imageSizes: [64, 32] }, /`train\.batchSize`/);
    fine({ batchSize: 2, imageSize: 32 });
    fine({ batchSize: 1, imageSize: 64 });
    fine({ batchSize: 1, imageSize: 32, freezeNorm: true });
    fine({ batchSize: 1, imageSize: 32, preset: 'swin_tiny', weights: 'hub' });
  });

  it('include more processes than images per batch', () => {
    conflict({ batchSize: 2, processes: 3 }, /`train\.processes`: 3 processes cannot share a batch of 2/);
    fine({ batchSize: 2, processes: 2 });
  });

  it('include a backbone that is unknown, or whose weights no package holds', () => {
    conflict({ preset: 'swin_tiy' }, /no backbone `swin_tiy`.*did you mean swin_tiny\?/);
    conflict({ preset: 'vit_tiny_patch16_224' }, /no backbone/);
    conflict({ preset: 'resnet18' }, /`train\.weights`: `package` holds weights of efficientnet_lite0 only/);
    fine({ preset: 'resnet18', weights: 'hub' });
  });

  it('include more picks than a chunk has images', () => {
    const withCount = (count: number) => resolveConfig(request({ sample: { count }, chunkSize: 40 }), 'cars', {});
    assert.throws(
      () => withCount(41),
      refused('input-invalid', /`sample\.count`: 41 images.*a chunk of 40 \(`chunkSize`\)/),
    );
    assert.equal(withCount(40).sample.count, 40);
    const defaults = { sample: { count: 200 }, chunkSize: 400 };
    const scan = { pool: 'cars', split: 'train' as const, settings: { scan: { folds: 3 } } };
    const config = standaloneConfig(scan, { pool: 'cars', defaults, images: 12 });
    assert.deepEqual([config.chunkSize, config.sample.count, config.scan.folds], [12, null, 3]);
  });

  it('include more cycles or image sizes than iterations', () => {
    conflict({ iterations: 10, cycles: 6 }, /6 cycles need at least 12 iterations, and `train\.iterations` is 10/);
    conflict({ iterations: 2, imageSizes: [64, 96, 128] }, /3 sizes need as many iterations/);
    fine({ iterations: 10, cycles: 5 });
    fine({ iterations: 1 });
    fine({ iterations: 10, cycles: 6, schedule: 'poly' });
  });

  it('include lengths of a search that the training is too short for', () => {
    const tune = { enabled: true, rungs: 6, reduction: 8 };
    const asked = request({ tune, train: { iterations: 400 } });
    assert.throws(() => resolveConfig(asked, 'cars', {}), /`tune\.rungs`: 6 lengths/);
  });

  it('do not occur in the defaults of a pool of any size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2_000_000 }), (images) => {
        assert.doesNotThrow(() => resolveConfig(request({}), 'cars', poolDefaults(images)));
      }),
    );
  });
});
