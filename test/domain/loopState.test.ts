import assert from 'node:assert/strict';
import { loopConfigSchema } from '../../domain/config.js';
import { emptyLoopState, type IterationAttempt, nextIteration, withAttempt } from '../../domain/loopState.js';

const attempt = (runId: string, status: 'finished' | 'failed' = 'finished'): IterationAttempt => ({
  runId,
  status,
  error: status === 'failed' ? 'why' : null,
  results: {},
  config: loopConfigSchema.parse({ pool: 'cars' }),
  recordedAt: '2026-01-01T00:00:00Z',
});

describe('the state of a loop', () => {
  it('counts a failed iteration as still to do', () => {
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

  it('keeps what later iterations were built on', () => {
    const built = withAttempt(withAttempt(emptyLoopState('cars'), 1, attempt('a')), 2, attempt('b'));
    const replayed = withAttempt(built, 1, attempt('c'));
    assert.equal(replayed.iterations[0]?.current.runId, 'a');
    assert.deepEqual(
      replayed.iterations[0]?.others.map(({ runId }) => runId),
      ['c'],
    );
  });

  it('never lets a failed replay replace a finished iteration', () => {
    const state = withAttempt(withAttempt(emptyLoopState('cars'), 1, attempt('a')), 1, attempt('b', 'failed'));
    assert.equal(state.iterations[0]?.current.runId, 'a');
  });
});
