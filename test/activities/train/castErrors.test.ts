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

  it('are given up after ten attempts where nobody expected them, with a sentence that says what to do', () => {
    const given = (error: unknown, attempt: number, seen: number): [boolean, string] => {
      const cast = castError(error, { attempt, seen });
      assert(cast instanceof ApplicationFailure);
      return [cast.nonRetryable ?? false, cast.message];
    };
    const bug = new TypeError('x is undefined');
    assert.equal(given(bug, 9, 9)[0], false);
    assert.equal(given(bug, 500, 1)[0], false, 'the first after a long outage');
    const [isLast, message] = given(bug, 10, 10);
    assert.equal(isLast, true);
    assert.match(message, /^x is undefined\nGiven up after 10 attempts\. `partloop loop retry LOOP`.*report it/);
    assert.equal(given(new PartloopError('store-unavailable', 'away'), 10_000, 0)[0], false);
    assert.equal(given(new PartloopError('trainer-failed', 'killed'), 10_000, 0)[0], false);
  });

  it('of the network and of Temporal pass, whoever threw them, and are tried without end', () => {
    const faults = [
      Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }),
      new Error('Failed to query', { cause: Object.assign(new Error('14 UNAVAILABLE'), { code: 14 }) }),
      new TypeError('fetch failed', { cause: Object.assign(new Error('getaddrinfo'), { code: 'EAI_AGAIN' }) }),
    ];
    for (const fault of faults) {
      const cast = castError(fault, { attempt: 10_000, seen: 10_000 });
      assert(cast instanceof ApplicationFailure);
      assert.deepEqual([cast.type, cast.nonRetryable], ['stack-unavailable', false]);
    }
  });

  it('are internal where nobody expected them, and never longer than 2,000 characters', () => {
    const cast = castError(new TypeError('x'.repeat(100_000)));
    assert(cast instanceof ApplicationFailure);
    assert.equal(cast.type, 'internal');
    assert.equal(cast.nonRetryable, false);
    assert(cast.message.length <= 2_000);
  });
});
