import assert from 'node:assert/strict';
import { progressSchema, progressText } from '../../domain/progress.js';

describe('the progress of an activity', () => {
  it('is told as phase, share and unit, and with further details if there are any', () => {
    const training = { phase: 'training', done: 120, total: 300, unit: 'iterations' } as const;
    assert.equal(progressText(training), 'training, 120 of 300 iterations');
    assert.equal(progressText({ ...training, note: 'loss 0.610' }), 'training, 120 of 300 iterations, loss 0.610');
  });

  it('is empty if a worker of another version reported it in another shape', () => {
    for (const other of [
      null,
      { iteration: 7, iterations: 9 },
      { phase: 'dreaming', done: 1, total: 2, unit: 'images' },
    ])
      assert.equal(progressSchema.safeParse(other).success, false);
  });
});
