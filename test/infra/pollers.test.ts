import assert from 'node:assert/strict';
import { parseWorkerIdentity, workerIdentity } from '../../domain/base/workerIdentity.js';
import { type PollerStatus, workerActivity } from '../../infra/stack/pollers.js';

const scan = workerIdentity('scan', 4711, 'box');
const status = (pollers: string[], taken: PollerStatus['taken'] = []): PollerStatus => ({
  retrying: [],
  paused: [],
  strayed: [],
  queues: [
    { queue: 'partloop-scan', kind: 'activity', pollers, waiting: 0 },
    { queue: 'partloop-train', kind: 'activity', pollers: [], waiting: null },
  ],
  taken,
});
const at = (identity: string) => ({ identity, activity: 'scanShard', workflowId: 'scan:cars' });

describe('a worker as the Temporal service sees it', () => {
  it('has an identity of role, process and host, which no other identity matches', () => {
    assert.deepEqual(parseWorkerIdentity(scan), { role: 'scan', pid: 4711, host: 'box' });
    for (const other of ['4711@box', 'scan@box', 'scan:x@box', 'some:thing:1@box', ''])
      assert.equal(parseWorkerIdentity(other), null);
  });

  it('asks for work, or is at work on a task', () => {
    assert.deepEqual(workerActivity(status([scan]), 'scan', 4711), { does: 'polls' });
    assert.deepEqual(workerActivity(status([], [at(scan)]), 'scan', 4711), {
      does: 'works',
      on: ['scanShard of scan:cars'],
    });
  });

  it('is silent if only its predecessor polled, or another role or process has the work', () => {
    const others = [workerIdentity('scan', 4710, 'box'), workerIdentity('light', 4711, 'box')];
    assert.deepEqual(workerActivity(status(others, others.map(at)), 'scan', 4711), { does: 'silent' });
  });
});
