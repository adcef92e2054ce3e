import assert from 'node:assert/strict';
import { WithStartWorkflowOperation } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { z } from 'zod';
import { LIGHT_QUEUE } from '../../domain/base/queues.js';
import { QUERIES, SIGNALS, UPDATES, WORKFLOWS } from '../../domain/workflowNames.js';
import { localEnvironment, withWorkers } from '../support/servers/workflowEnvironment.js';
import { fakeActivities, testConfig } from '../support/standIns/fakeActivities.js';
import { stepGate } from '../support/standIns/stepGate.js';

const described = z.object({ name: z.string(), description: z.string().default('') });
/** What a workflow tells the Temporal UI of itself. */
const metadataSchema = z.object({
  definition: z.object({
    type: z.string(),
    queryDefinitions: z.array(described).default([]),
    signalDefinitions: z.array(described).default([]),
    updateDefinitions: z.array(described).default([]),
  }),
});

const INGEST = 'pool:cars:ingest';

/** Temporal's own, which every workflow has. */
const isTemporals = (name: string): boolean => name.startsWith('__');

describe('what the Temporal UI lists of a workflow', () => {
  let environment: TestWorkflowEnvironment;
  before(async () => {
    environment = await localEnvironment();
  });
  after(() => environment?.teardown());

  it('has a sentence for every signal, query and update, under the names that the command line uses', async () => {
    const { atStep, open, until } = stepGate('shard:0');
    const seen = new Set<string>();
    const types = new Set<string>();
    // An inbox whose drop lacks files keeps its ingest open.
    const waits = { kind: 'waiting' as const, until: '2100-01-01T00:00:00.000Z', missing: 1, added: 0 };
    const activities = {
      ...fakeActivities({ until }).activities,
      lookAtInbox: async () => ({ drops: ['d1'], last: null }),
      settleDrop: async () => waits,
    };
    await withWorkers(environment, activities, async () => {
      const { workflow } = environment.client;
      await workflow.executeUpdateWithStart('runIterations', {
        args: [{ iterations: 1, config: testConfig }],
        startWorkflowOperation: new WithStartWorkflowOperation('trainingLoop', {
          workflowId: 'loop:cars',
          taskQueue: LIGHT_QUEUE,
          args: [{}],
          workflowIdConflictPolicy: 'USE_EXISTING',
        }),
      });
      await workflow.start('poolIngest', { workflowId: INGEST, taskQueue: LIGHT_QUEUE, args: [{}] });
      await atStep;
      for (const id of ['loop:cars', 'loop:cars:iteration:0001', 'loop:cars:iteration:0001:scan', INGEST]) {
        const told: unknown = await workflow.getHandle(id).query('__temporal_workflow_metadata');
        const { type, queryDefinitions, signalDefinitions, updateDefinitions } = metadataSchema.parse(told).definition;
        types.add(type);
        for (const { name, description } of [...queryDefinitions, ...signalDefinitions, ...updateDefinitions]) {
          if (isTemporals(name)) continue;
          seen.add(name);
          assert.ok(description.length >= 15, `${type}: \`${name}\` says nothing of itself`);
        }
      }
      open();
      await workflow.getHandle(INGEST).terminate('seen');
      await workflow.getHandle('loop:cars').executeUpdate('stop', { args: [{ now: true }] });
    });
    const { startLoop: _, startIngest: __, hyperparameterSearch: ___, cleanUp: ____, ...withHandlers } = WORKFLOWS;
    assert.deepEqual([...types].sort(), Object.values(withHandlers).sort());
    const names = [...Object.values(QUERIES), ...Object.values(SIGNALS), ...Object.values(UPDATES)];
    assert.deepEqual([...seen].sort(), [...new Set(names)].sort());
  });
});
