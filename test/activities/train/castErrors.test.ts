import assert from 'node:assert/strict';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { PartloopError } from '../../../domain/errors.js';
import { FAILURES, type FailureCode } from '../../../domain/failure.js';
import { castError } from '../../../workers/castErrors.js';

describe('errors on their way to Temporal', () => {
  it('carry their code as type and retry as the table says', () => {
    for (const code of Object.keys(FAILURES) as FailureCode[]) {
      const cast = castError(new PartloopError(code, 'what happened', { hint: 'what to do' }));
      assert(cast instanceof ApplicationFailure);
      assert.equal(cast.type, code);
      assert.equal(cast.nonRetryable, !FAILURES[code].retry);
      assert.match(cast.message, /what happened\nwhat to do/);
    }
  });

  it('leave a cancellation what it is', () => {
    const cancelled = new CancelledFailure('WORKER_SHUTDOWN');
    assert.equal(castError(cancelled), cancelled);
  });

  it('are those of the workflow where it refused an update', () => {
    const refused = ApplicationFailure.nonRetryable('no such field', 'input-invalid');
    assert.equal(castError(new WorkflowUpdateFailedError('Workflow Update failed', refused)), refused);
  });

  it('are internal where nobody expected them, and never longer than 2,000 characters', () => {
    const cast = castError(new TypeError('x'.repeat(100_000)));
    assert(cast instanceof ApplicationFailure);
    assert.equal(cast.type, 'internal');
    assert.equal(cast.nonRetryable, false);
    assert(cast.message.length <= 2_000);
  });
});
