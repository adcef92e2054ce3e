import assert from 'node:assert/strict';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { PartloopError } from '../../domain/base/errors.js';
import { FAILURES, type FailureCode } from '../../domain/base/failures/failure.js';
import { machineFault } from '../../domain/base/failures/machineFault.js';
import { castError } from '../../workers/castErrors.js';

const PLACE = { role: 'scan', host: 'box' };

describe('errors on their way to Temporal', () => {
  it('carry their code as type, and are retried as the table says', () => {
    for (const code of Object.keys(FAILURES) as FailureCode[]) {
      const cast = castError(new PartloopError(code, 'what happened', { hint: 'what to do' }), PLACE);
      assert(cast instanceof ApplicationFailure);
      const expected = code === 'setup-incomplete' ? 'machine-faulty' : code;
      assert.equal(cast.type, expected);
      assert.equal(cast.nonRetryable, !FAILURES[expected].retry);
      assert.match(cast.message, /what happened\.\nwhat to do/);
    }
  });

  it('stay cancellations if they are', () => {
    const cancelled = new CancelledFailure('WORKER_SHUTDOWN');
    assert.equal(castError(cancelled, PLACE), cancelled);
  });

  it('keep the error of a workflow that refused an update', () => {
    const refused = ApplicationFailure.nonRetryable('no such field', 'input-invalid');
    assert.equal(castError(new WorkflowUpdateFailedError('Workflow Update failed', refused), PLACE), refused);
  });

  it('are given up after ten attempts if they are unexpected, with advice', () => {
    const given = (error: unknown, attempt: number, seen: number): [boolean, string] => {
      const cast = castError(error, PLACE, { attempt, seen });
      assert(cast instanceof ApplicationFailure);
      return [cast.nonRetryable ?? false, cast.message];
    };
    const bug = new TypeError('x is undefined');
    assert.equal(given(bug, 9, 9)[0], false);
    assert.equal(given(bug, 500, 1)[0], false, 'the first after a long outage');
    const [isLast, message] = given(bug, 10, 10);
    assert.equal(isLast, true);
    assert.match(message, /^x is undefined\.\nGiven up after 10 attempts\. `partloop loop retry LOOP`.*report it/);
    assert.equal(given(new PartloopError('store-unavailable', 'away'), 10_000, 0)[0], false);
    assert.equal(given(new PartloopError('trainer-failed', 'killed'), 10_000, 0)[0], false);
    assert.equal(given(new PartloopError('setup-incomplete', 'no Python'), 10_000, 0)[0], false);
  });

  it('are temporary if they are of the network or Temporal, whoever threw them, and are retried without end', () => {
    const faults = [
      Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }),
      new Error('Failed to query', { cause: Object.assign(new Error('14 UNAVAILABLE'), { code: 14 }) }),
      new TypeError('fetch failed', { cause: Object.assign(new Error('getaddrinfo'), { code: 'EAI_AGAIN' }) }),
    ];
    for (const fault of faults) {
      const cast = castError(fault, PLACE, { attempt: 10_000, seen: 10_000 });
      assert(cast instanceof ApplicationFailure);
      assert.deepEqual([cast.type, cast.nonRetryable], ['stack-unavailable', false]);
    }
  });

  it('are internal if they are unexpected, and never longer than 2,000 characters', () => {
    const cast = castError(new TypeError('x'.repeat(100_000)), PLACE);
    assert(cast instanceof ApplicationFailure);
    assert.equal(cast.type, 'internal');
    assert.equal(cast.nonRetryable, false);
    assert(cast.message.length <= 2_000);
  });

  it('name role and machine if the machine is at fault, and are retried elsewhere', () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    const away = new PartloopError('store-unavailable', 'the store did not answer for a/b: Error', { cause: full });
    const noPython = new PartloopError('setup-incomplete', 'there is no Python at /x', { hint: 'Run it.' });
    const deadGpu = new PartloopError('trainer-failed', 'CUDA driver initialization failed, you might not have a GPU');
    for (const error of [full, away, noPython, deadGpu]) {
      const cast = castError(error, PLACE);
      assert(cast instanceof ApplicationFailure);
      assert.deepEqual([cast.type, cast.nonRetryable], ['machine-faulty', false]);
      assert.match(cast.message, /^scan worker on box: /);
    }
    const others = [
      new PartloopError('store-unavailable', 'connect ECONNREFUSED'),
      new PartloopError('data-invalid', 'x.json is cut off', { cause: full }),
      new PartloopError('trainer-failed', 'CUDA out of memory. Tried to allocate 2 GiB'),
      new TypeError('x is not a function'),
    ];
    for (const error of others) assert.equal(machineFault(error), null, error.message);
  });
});
