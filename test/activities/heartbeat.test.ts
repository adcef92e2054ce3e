import assert from 'node:assert/strict';
import { CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { throwIfCancelled, withHeartbeat } from '../../activities/heartbeat.js';

describe('the heartbeat of a long activity', () => {
  it('beats while the work is silent, with the details that were reported last', async () => {
    const environment = new MockActivityEnvironment({ heartbeatTimeoutMs: 200 });
    const beats: unknown[] = [];
    const result = await environment.run(() =>
      withHeartbeat(async ({ report }) => {
        report({ iteration: 7 });
        await new Promise<void>((resolve) => {
          environment.on('heartbeat', (details: unknown) => {
            beats.push(details);
            if (beats.length === 3) resolve();
          });
        });
        return 'done';
      }),
    );
    assert.equal(result, 'done');
    assert.deepEqual(beats, [{ iteration: 7 }, { iteration: 7 }, { iteration: 7 }]);
  });

  it('hands on a cancellation whose reason is what Temporal understands', async () => {
    const environment = new MockActivityEnvironment();
    const running = environment.run(() =>
      withHeartbeat(async ({ signal }) => {
        environment.cancel('WORKER_SHUTDOWN');
        throwIfCancelled(signal);
      }),
    );
    await assert.rejects(running, (error: unknown) => error instanceof CancelledFailure);
  });

  it('does the work all the same outside an activity', async () => {
    assert.equal(
      await withHeartbeat(async ({ report, signal }) => {
        report({});
        return signal.aborted;
      }),
      false,
    );
  });
});
