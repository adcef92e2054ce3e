import assert from 'node:assert/strict';
import { WithStartWorkflowOperation } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Activities } from '../../activities/index.js';
import { LIGHT_QUEUE } from '../../domain/base/queues.js';
import { loopConfigSchema } from '../../domain/config.js';
import type { IterationContext } from '../../domain/steps.js';
import { localEnvironment, withWorkers } from '../support/servers/workflowEnvironment.js';
import { fakeActivities } from '../support/standIns/fakeActivities.js';
import { realisticResult } from '../support/standIns/realisticResult.js';
import type { ResultBy, Working } from '../support/standIns/stepResult.js';

const SHARDS = 235;
const MAX_PAYLOAD = 64 * 2 ** 10;
const MAX_HISTORY = 0.5 * 2 ** 20;
const MAX_SHARD = 2 ** 10;
/** More shards than one run of a scan takes. */
const MANY_SHARDS = 300;

describe('histories', function () {
  this.timeout(240_000);
  let environment: TestWorkflowEnvironment;
  before(async () => {
    environment = await localEnvironment();
  });
  after(() => environment?.teardown());

  it('of a loop, an iteration, a scan of 235 shards and a search stay small, as does every payload', async () => {
    const config = loopConfigSchema.parse({ pool: 'cars', chunkSize: 60_000, tune: { enabled: true, trials: 12 } });
    const { activities } = fakeActivities({ shards: SHARDS, folds: [0, 1] });
    const { client } = environment;
    await withWorkers(environment, realistic(activities, config), async () => {
      const startWorkflowOperation = new WithStartWorkflowOperation('trainingLoop', {
        ...{ workflowId: 'loop:cars', taskQueue: LIGHT_QUEUE, args: [{}], workflowIdConflictPolicy: 'USE_EXISTING' },
      });
      await client.workflow.executeUpdateWithStart('runIterations', {
        args: [{ iterations: 2, config }],
        startWorkflowOperation,
      });
      await untilIdle(environment, 'loop:cars');
    });
    let histories = 0;
    for await (const { workflowId, runId } of client.workflow.list()) {
      await assertSmall(environment, workflowId, runId);
      histories += 1;
    }
    assert.ok(histories >= 7, `${histories} histories`);
  });

  it('of a scan that continues as new stay small too', async () => {
    const config = loopConfigSchema.parse({ pool: 'cars' });
    const { activities } = fakeActivities({ shards: MANY_SHARDS, folds: [0, 1] });
    const context: IterationContext = { loop: 'cars', iteration: 9, config, previous: previous(), force: null };
    const { client } = environment;
    await withWorkers(environment, realistic(activities, config), () =>
      client.workflow.execute('mislabelScan', {
        ...{ workflowId: 'scan-many', taskQueue: LIGHT_QUEUE, args: [{ context, draw: realisticResult('draw') }] },
      }),
    );
    let runs = 0;
    for await (const { workflowId, runId } of client.workflow.list({ query: "WorkflowId = 'scan-many'" })) {
      await assertSmall(environment, workflowId, runId);
      runs += 1;
    }
    assert.equal(runs, 2);
  });
});

/** The activities with results as large as those of a real iteration. */
function realistic(activities: Activities, config: IterationContext['config']): Activities {
  const grown =
    <Name extends Working, Asked>(step: Name, work: (asked: Asked) => Promise<ResultBy<Name>>) =>
    async (asked: Asked) =>
      realisticResult(step, (await work(asked)).facts);
  return {
    ...activities,
    draw: grown('draw', activities.draw),
    sample: grown('sample', activities.sample),
    train: grown('train', activities.train),
    evaluate: grown('evaluate', activities.evaluate),
    decide: grown('decide', activities.decide),
    report: grown('report', activities.report),
    trainFold: grown('fold', activities.trainFold),
    reduceScan: grown('scan', activities.reduceScan),
    prepareIteration: async (asked) => ({
      ...(await activities.prepareIteration({ ...asked, config: asked.config ?? config })),
      previous: previous(),
    }),
  };
}

const previous = (): NonNullable<IterationContext['previous']> => ({
  draw: realisticResult('draw'),
  scan: realisticResult('scan'),
  sample: realisticResult('sample'),
  train: realisticResult('train'),
  evaluate: realisticResult('evaluate'),
});

async function untilIdle({ client }: TestWorkflowEnvironment, id: string): Promise<void> {
  const loop = client.workflow.getHandle(id);
  while ((await loop.query<{ phase: string }>('status')).phase !== 'idle')
    await new Promise((resolve) => setTimeout(resolve, 200));
}

async function assertSmall({ client }: TestWorkflowEnvironment, workflowId: string, runId: string): Promise<void> {
  const handle = client.workflow.getHandle(workflowId, runId);
  const { historySize = Number.POSITIVE_INFINITY } = await handle.describe();
  assert.ok(historySize <= MAX_HISTORY, `${workflowId} has ${historySize} bytes`);
  const { events } = await handle.fetchHistory();
  for (const event of events ?? []) {
    const payloads = payloadsOf(event);
    for (const [at, size] of payloads) assert.ok(size <= MAX_PAYLOAD, `${workflowId}: ${at} has ${size} bytes`);
    if (event.activityTaskScheduledEventAttributes?.activityType?.name !== 'scanShard') continue;
    const size = payloads.reduce((sum, [, bytes]) => sum + bytes, 0);
    assert.ok(size < MAX_SHARD, `a shard is asked for with ${size} bytes`);
  }
}

/** Every payload of an event with its place, however deep. */
function payloadsOf(value: unknown, at = ''): [string, number][] {
  if (value instanceof Uint8Array || value === null || typeof value !== 'object') return [];
  const data: unknown = Object.getOwnPropertyDescriptor(value, 'data')?.value;
  if (data instanceof Uint8Array) return [[at, data.byteLength]];
  return Object.entries(value).flatMap(([name, field]) => payloadsOf(field, `${at}/${name}`));
}
