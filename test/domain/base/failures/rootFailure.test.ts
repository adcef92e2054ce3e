import assert from 'node:assert/strict';
import { WorkflowFailedError } from '@temporalio/client';
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  RetryState,
  TerminatedFailure,
  TimeoutFailure,
  TimeoutType,
} from '@temporalio/common';
import { rootFailure } from '../../../../domain/base/failures/rootFailure.js';

const child = (workflowId: string, cause: Error): ChildWorkflowFailure =>
  new ChildWorkflowFailure(
    'default',
    { workflowId, runId: '1' },
    'loopIteration',
    RetryState.NON_RETRYABLE_FAILURE,
    cause,
  );
const activity = (cause: Error): ActivityFailure =>
  new ActivityFailure('failed', 'scanShard', '3', RetryState.TIMEOUT, 'scan:1@host', cause);

describe('the message of a failure that travelled through Temporal', () => {
  it('names the workflow that was terminated, cancelled or timed out, however deep it lies', () => {
    const scan = 'loop:cars:iteration:0001:scan';
    const inScan = (cause: Error): Error => child('loop:cars:iteration:0001', child(scan, cause));
    const told = (error: Error): string => rootFailure(error).message;
    assert.equal(told(child(scan, new TerminatedFailure('Terminated'))), `${scan} was terminated`);
    assert.equal(told(inScan(new CancelledFailure(''))), `${scan} was cancelled`);
    assert.equal(
      told(inScan(new TimeoutFailure('', undefined, TimeoutType.START_TO_CLOSE))),
      `${scan} ran into its time limit`,
    );
    assert.equal(told(new CancelledFailure('')), 'it was cancelled');
    assert.equal(
      told(activity(new TimeoutFailure('activity StartToClose timeout', undefined, TimeoutType.START_TO_CLOSE))),
      'the activity scanShard ran into its time limit',
    );
  });

  it('keeps the reason that somebody gave, and says that somebody ended the work', () => {
    const error = new WorkflowFailedError(
      'Workflow execution terminated',
      new TerminatedFailure('ops'),
      RetryState.NON_RETRYABLE_FAILURE,
    );
    assert.deepEqual(rootFailure(error), { code: null, message: 'it was terminated: ops', hint: null, ended: true });
  });

  it('is the one of our own error, whatever lies around and below it', () => {
    const own = ApplicationFailure.create({
      ...{ type: 'disk-full', message: 'the disk is full', details: [{ hint: 'free some' }] },
      cause: new CancelledFailure('it'),
    });
    const found = rootFailure(child('loop:cars:iteration:0001', activity(own)));
    assert.deepEqual(found, { code: 'disk-full', message: 'the disk is full', hint: 'free some', ended: false });
  });
});
