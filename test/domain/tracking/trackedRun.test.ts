import assert from 'node:assert/strict';
import fc from 'fast-check';
import { loopConfigSchema } from '../../../domain/config.js';
import { trackingConfigSchema } from '../../../domain/tracking/config.js';
import { datasetsOf, metricsOf, paramsOf, tagsOf } from '../../../domain/tracking/trackedRun.js';
import { stepResult } from '../../support/standIns/stepResult.js';

const attempt = { loop: 'cars', iteration: 3, runId: 'run-a' };

describe('what a tracking server is told of an iteration', () => {
  it('has each setting once, under its path', () => {
    const params = paramsOf(loopConfigSchema.parse({ pool: 'cars', train: { imageSizes: [128, 256] } }));
    const byKey = new Map(params.map(({ key, value }) => [key, value]));
    assert.equal(byKey.size, params.length);
    assert.deepEqual(
      ['pool', 'train.imageSizes', 'train.augment.flip', 'tune.enabled'].map((key) => byKey.has(key)),
      [true, true, true, true],
    );
    assert.equal(byKey.get('train.imageSizes'), '[128,256]');
  });

  it('stays within the lengths that a server takes, and says where it is cut', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 20_000 }), (error) => {
        for (const { key, value } of tagsOf(attempt, { results: {}, error, storeUri: 's3://a' }))
          assert.ok(key.length <= 250 && value.length <= 5_000);
      }),
    );
    const long = tagsOf(attempt, { results: {}, error: 'x'.repeat(6_000), storeUri: 's3://a' });
    assert.ok(long.find(({ key }) => key === 'partloop.error')?.value.endsWith('x …'));
    for (const { digest } of datasetsOf({
      pool: 'cars',
      results: { sample: stepResult('sample') },
      storeUri: 's3://a',
    }))
      assert.equal(digest.length, 36);
  });

  it('has numbers, yes and no as metrics of the iteration, and words as tags', () => {
    const decide = stepResult('decide', {}, { gate: 'held', promoted: false, gain: -0.01, lower: null });
    const metrics = metricsOf({ decide }, 3);
    assert.deepEqual(metrics.map(({ key, value, step }) => [key, value, step]).sort(), [
      ['decide.gain', -0.01, 3],
      ['decide.promoted', 0, 3],
      ['decide.seconds', 1, 3],
    ]);
    const tags = tagsOf(attempt, { results: { decide }, error: null, storeUri: 's3://a' });
    assert.deepEqual(tags.find(({ key }) => key === 'decide.gate')?.value, 'held');
  });
});

describe('the setting of an MLflow server', () => {
  it('has no user and password, which would stand in histories and reports', () => {
    const at = (uri: string) => trackingConfigSchema.safeParse({ mlflow: { uri } }).success;
    assert.deepEqual(
      [
        'http://127.0.0.1:5000',
        'https://ml.example/base',
        'https://ann:secret@ml.example',
        'file:///x',
        'ml.example',
      ].map(at),
      [true, true, false, false, false],
    );
  });
});
