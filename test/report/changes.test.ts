import assert from 'node:assert/strict';
import { type LoopConfig, loopConfigSchema } from '../../domain/config.js';
import type { StepResults } from '../../domain/steps.js';
import { type Compared, changesSince } from '../../report/changes.js';
import { stepCosts } from '../../report/iterationPoints.js';
import { idOf } from '../domain/sample/rows.js';
import { stepResult } from '../support/standIns/stepResult.js';
import { reportData } from './reportData.js';

const config = (fields: Record<string, unknown> = {}): LoopConfig =>
  loopConfigSchema.parse({ pool: 'cars', ...fields });

const results = (pool: { poolVersion: number; poolImages: number }, testVersion: string): StepResults => ({
  draw: stepResult('draw', {}, { drawn: 130, ...pool }),
  scan: stepResult('scan', {}, { quarantined: 19, scanned: 129 }),
  sample: stepResult('sample', {}, { sampled: 65 }),
  evaluate: stepResult('evaluate', {}, { images: 310, testVersion }),
});

const compared = (fields: Partial<Compared> = {}): Compared => {
  const { decision, training } = reportData();
  return {
    last: { iteration: 2, config: config(), results: results({ poolVersion: 3, poolImages: 600 }, 'v1') },
    now: { iteration: 3, config: config(), results: results({ poolVersion: 3, poolImages: 600 }, 'v1') },
    lastDecision: decision,
    ...{ decision, training, returned: 0 },
    ...fields,
  };
};

const textOf = (fields: Partial<Compared>, what: string): string | undefined =>
  changesSince(compared(fields)).lines.find((line) => line.what === what)?.text;

describe('the changes since the last iteration', () => {
  it('are none if nothing changed but the images', () => {
    const { since, lines } = changesSince(compared());
    assert.equal(since, 2);
    assert.deepEqual(
      lines.map(({ what, text }) => `${what}: ${text}`),
      [
        'Settings: as before',
        'Pool: version 3, as before',
        'Images: 130 images drawn, 19 set aside, 65 picked. The training set has 195 images, before 130: 67 came and 2 left.',
        'Benchmark: the baseline on random images, as before',
        'Test set: as before',
        'Looks: look 3 of 30 planned ones at this test set; 27 are left',
      ],
    );
  });

  it('name settings that decide results, and not how steps are run', () => {
    const now = {
      ...compared().now,
      config: config({ train: { lrHead: 0.0034 }, durability: { scanHeartbeatSeconds: 99 } }),
    };
    assert.match(textOf({ now }, 'Settings') ?? '', /^train\.lrHead 0\.0034, before [\d.]+$/);
  });

  it('count only the rest of many settings', () => {
    const many = Object.fromEntries(Array.from({ length: 14 }, (_, at) => [`setting${at}`, at]));
    const now = { ...compared().now, config: { ...config(), ...many } };
    assert.match(textOf({ now }, 'Settings') ?? '', /^setting0 0, before not set; .*; and 2 more$/);
  });

  it('tell of a grown pool, another test set, another benchmark and returned images', () => {
    const now = { ...compared().now, results: results({ poolVersion: 5, poolImages: 1620 }, 'v2') };
    const { decision } = compared();
    const benchmark = { ...decision.candidate, iteration: 2, digest: idOf(77) };
    const fields = { now, decision: { ...decision, benchmark }, returned: 3 };
    assert.equal(textOf(fields, 'Pool'), 'version 5, before 3; 1,620 images, before 600');
    assert.match(textOf(fields, 'Test set') ?? '', /^another one, 310 images, as many as before: mIoU cannot/);
    assert.equal(textOf(fields, 'Benchmark'), 'loop cars, iteration 2, before the baseline on random images');
    assert.match(textOf(fields, 'Images') ?? '', /65 picked, 3 of them back from quarantine\./);
  });

  it('are told from records that lack facts', () => {
    const bare = { iteration: 2, config: config(), results: {} };
    const fields = { last: bare, now: { ...bare, iteration: 3 }, lastDecision: null };
    assert.ok(changesSince(compared(fields)).lines.every(({ text }) => !/undefined|NaN|null/.test(text)));
  });
});

describe('the cost of steps', () => {
  it('has the work of a step, and the seconds of the last iteration', () => {
    const now = results({ poolVersion: 3, poolImages: 600 }, 'v1');
    const costs = stepCosts(now, { scan: stepResult('scan') });
    assert.deepEqual(
      costs.map(({ step, work, before }) => [step, work?.count ?? null, before === null]),
      [
        ['draw', 130, true],
        ['scan', 129, false],
        ['sample', null, true],
        ['evaluate', 310, true],
      ],
    );
  });
});
