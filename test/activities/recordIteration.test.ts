import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { Client } from '@temporalio/client';
import { pino } from 'pino';
import { createLoopActivities } from '../../activities/loop.js';
import { loopConfigSchema } from '../../domain/config.js';
import { readLoopState } from '../../storage/loopState.js';
import { notifier } from '../../telemetry/notify/notifier.js';
import { memoryStore } from '../support/standIns/memoryStore.js';
import { stepResult } from '../support/standIns/stepResult.js';
import { Receiver, SECRET } from '../telemetry/notify/receiver.js';

const config = loopConfigSchema.parse({ pool: 'cars' });
const context = { loop: 'cars', iteration: 1, config, previous: null, force: null };

describe('the record of an iteration', () => {
  it('is kept and told, once however often it is recorded, and kept also if nobody takes the message', async () => {
    const receiver = await Receiver.start();
    try {
      const store = memoryStore();
      const log = pino({ level: 'silent' });
      const notify = notifier({
        ...{
          store,
          log,
          uiUrl: null,
          namespace: 'default',
          patience: { budgetMs: 5_000, tryMs: 4_000, pauseMs: 6_000 },
        },
        webhook: { url: receiver.url, secret: SECRET },
      });
      const client = new Client();
      const { recordIteration } = createLoopActivities({ store, log, notify, client, home: tmpdir(), root: tmpdir() });
      const results = { decide: stepResult('decide', {}, { gate: 'first', promoted: true }) };
      const done = { context, results, status: 'finished', error: null, runId: 'run-1' } as const;
      await recordIteration(done);
      await recordIteration(done);
      assert.deepEqual(
        receiver.bodies.map(({ type, data }) => [type, data.iteration]),
        [
          ['decision.made', 1],
          ['iteration.finished', 1],
        ],
      );
      receiver.answer = (response) => response.writeHead(500).end();
      await recordIteration({ ...done, context: { ...context, iteration: 2 }, status: 'failed', error: 'no disk' });
      const { iterations } = await readLoopState(store, 'cars');
      assert.deepEqual(
        iterations.map(({ current }) => current.status),
        ['finished', 'failed'],
      );
    } finally {
      await receiver.stop();
    }
  });
});
