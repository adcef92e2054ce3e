import assert from 'node:assert/strict';
import { loopConfigSchema } from '../../../domain/config.js';
import {
  emptyLoopState,
  type IterationAttempt,
  iterationRow,
  nextIteration,
  withAttempt,
} from '../../../domain/loop/state.js';
import type { StepResult } from '../../../domain/steps.js';

const attempt = (runId: string, status: 'finished' | 'failed' = 'finished'): IterationAttempt => ({
  runId,
  status,
  error: status === 'failed' ? 'why' : null,
  results: {},
  config: loopConfigSchema.parse({ pool: 'cars' }),
  force: null,
  recordedAt: '2026-01-01T00:00:00Z',
});

describe('the state of a loop', () => {
  it('counts a failed iteration as not yet done', () => {
    const state = withAttempt(withAttempt(emptyLoopState('cars'), 1, attempt('a')), 2, attempt('b', 'failed'));
    assert.equal(nextIteration(state), 2);
    assert.equal(nextIteration(withAttempt(state, 2, attempt('c'))), 3);
  });

  it('does not change when the same run is recorded twice', () => {
    const once = withAttempt(emptyLoopState('cars'), 1, attempt('a'));
    assert.deepEqual(withAttempt(once, 1, attempt('a')), once);
  });

  it('lets a replay replace the latest iteration and keeps the earlier attempt beside it', () => {
    const state = withAttempt(withAttempt(emptyLoopState('cars'), 1, attempt('a')), 1, attempt('b'));
    assert.equal(state.iterations[0]?.current.runId, 'b');
    assert.deepEqual(
      state.iterations[0]?.others.map(({ runId }) => runId),
      ['a'],
    );
  });

  it('keeps iterations that later ones were built on', () => {
    const built = withAttempt(withAttempt(emptyLoopState('cars'), 1, attempt('a')), 2, attempt('b'));
    const replayed = withAttempt(built, 1, attempt('c'));
    assert.equal(replayed.iterations[0]?.current.runId, 'a');
    assert.deepEqual(
      replayed.iterations[0]?.others.map(({ runId }) => runId),
      ['c'],
    );
  });

  it('lets a replay replace the basis of a failed iteration, whose retry builds on the new one', () => {
    const built = withAttempt(withAttempt(emptyLoopState('cars'), 1, attempt('a')), 2, attempt('b', 'failed'));
    assert.equal(withAttempt(built, 1, attempt('c')).iterations[0]?.current.runId, 'c');
  });

  it('says which images steps went on without, by step and reason, and skips steps that did not count them', () => {
    const step = (name: string, facts: StepResult['facts']): StepResult => ({
      ...{ step: name, digest: '0'.repeat(64), outcome: 'miss', outputs: {}, facts, seconds: 1 },
    });
    const row = (results: Record<string, StepResult>) => iterationRow(1, { status: 'finished', error: null, results });
    const counted = {
      draw: step('draw', { missing: 3, missingWhy: '2 gone, 1 changed' }),
      scan: step('scan', { unreadable: 1 }),
      train: step('train', { leftOut: 0, leftOutWhy: null }),
      evaluate: step('evaluate', { leftOut: 1, leftOutWhy: '1 gone' }),
    };
    assert.equal(row(counted).leftOut, 'draw: 2 gone, 1 changed; scan: 1 unreadable; test: 1 gone');
    assert.equal(row({ draw: step('draw', { missing: 3 }), scan: step('scan', { scanned: 5 }) }).leftOut, null);
  });

  it('never lets a failed replay replace a finished iteration', () => {
    const state = withAttempt(withAttempt(emptyLoopState('cars'), 1, attempt('a')), 1, attempt('b', 'failed'));
    assert.equal(state.iterations[0]?.current.runId, 'a');
  });
});
