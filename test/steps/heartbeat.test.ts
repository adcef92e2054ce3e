import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { throwIfCancelled, withHeartbeat } from '../../steps/heartbeat.js';

const at = (done: number) => ({ phase: 'judging', done, total: 9, unit: 'images' }) as const;

describe('the heartbeat of a long activity', () => {
  it('beats while the work is silent, with the details of the last report', async () => {
    const environment = new MockActivityEnvironment({ heartbeatTimeoutMs: 200 });
    const beats: unknown[] = [];
    const result = await environment.run(() =>
      withHeartbeat(async ({ report }) => {
        report(at(7));
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
    assert.deepEqual(beats, [at(7), at(7), at(7)]);
  });

  it('falls silent if no progress is reported for the time allowed, so that the server retries', async () => {
    const environment = new MockActivityEnvironment({ heartbeatTimeoutMs: 200 });
    const beats: unknown[] = [];
    environment.on('heartbeat', (details: unknown) => beats.push(details));
    await environment.run(() =>
      withHeartbeat(
        async ({ report }) => {
          // Before the first report it keeps beating: a model is fetched, a table is read.
          while (beats.length < 4) await sleep(20);
          report(at(1));
          const heard = beats.length;
          await sleep(1_000);
          // The report itself, and beats that a slow timer may still add; ten intervals have passed.
          assert.ok(beats.length - heard <= 3, `${beats.length - heard} beats in silence`);
          report(at(2));
          assert.deepEqual(beats.at(-1), at(2));
        },
        { quietAfterMs: 150 },
      ),
    );
  });

  it('passes a cancellation on with a reason that Temporal understands', async () => {
    const environment = new MockActivityEnvironment();
    const running = environment.run(() =>
      withHeartbeat(async ({ signal }) => {
        environment.cancel('WORKER_SHUTDOWN');
        throwIfCancelled(signal);
      }),
    );
    await assert.rejects(running, (error: unknown) => error instanceof CancelledFailure);
  });

  it('runs the work outside an activity too', async () => {
    assert.equal(
      await withHeartbeat(async ({ report, signal }) => {
        report(at(0));
        return signal.aborted;
      }),
      false,
    );
  });
});
