import assert from 'node:assert/strict';
import { attemptDiff } from '../../../domain/loop/attemptDiff.js';
import { emptyLoopState, type IterationAttempt, withAttempt } from '../../../domain/loop/state.js';
import { storedStatus } from '../../../domain/loop/status.js';
import { stepResult, testConfig } from '../../support/standIns/fakeActivities.js';

const attempt = (changes: Partial<IterationAttempt> = {}): IterationAttempt => ({
  runId: 'a',
  status: 'finished',
  error: null,
  results: {
    draw: stepResult('draw', { drawn: 10 }),
    train: stepResult('train', { valMiou: 0.5, weightsSha256: 'x' }),
  },
  config: testConfig,
  force: null,
  recordedAt: '2026-01-01T00:00:00Z',
  ...changes,
});

describe('two attempts side by side', () => {
  it('differ in nothing if they are the same', () => {
    const { settings, steps } = attemptDiff(attempt(), attempt());
    assert.deepEqual(settings, []);
    assert.deepEqual(
      steps.map(({ step, same, facts }) => [step, same, facts]),
      [
        ['draw', true, []],
        ['train', true, []],
      ],
    );
  });

  it('show each setting, step and fact that differs, and steps that only one has', () => {
    const other = attempt({
      config: { ...testConfig, seed: 9, train: { ...testConfig.train, lrHead: 0.5 } },
      results: {
        draw: stepResult('draw', { drawn: 10 }),
        train: { ...stepResult('train', { valMiou: 0.6, weightsSha256: 'x' }), digest: '1'.repeat(64) },
        evaluate: stepResult('evaluate', { miou: 0.7 }),
      },
    });
    const { settings, steps } = attemptDiff(attempt(), other);
    assert.deepEqual(
      settings.map(({ setting }) => setting),
      ['seed', 'train.lrHead'],
    );
    assert.deepEqual(steps[1]?.facts, [{ fact: 'valMiou', a: 0.5, b: 0.6 }]);
    assert.equal(steps[1]?.same, false);
    assert.deepEqual([steps[2]?.a, steps[2]?.facts[0]?.a, steps[2]?.facts[0]?.b], [null, undefined, 0.7]);
  });
});

describe('a loop that does not run', () => {
  it('shows its work so far and its failure', () => {
    const first = withAttempt(emptyLoopState('cars'), 1, attempt());
    assert.equal(storedStatus(first).error, null);
    const failed = withAttempt(first, 2, attempt({ status: 'failed', error: 'no space', runId: 'b' }));
    const { phase, nextIteration, error, rows } = storedStatus(failed);
    assert.deepEqual([phase, nextIteration, error, rows.length], ['stopped', 2, 'iteration 2: no space', 2]);
  });
});
