import assert from 'node:assert/strict';
import { WithStartWorkflowOperation, WorkflowUpdateFailedError } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { approveIteration } from '../../activities/approval.js';
import { LIGHT_QUEUE } from '../../domain/base/queues.js';
import { type Decision, decisionSchema, type RegisteredModel } from '../../domain/decide/decision.js';
import { withAttempt } from '../../domain/loop/state.js';
import type { Approval } from '../../domain/messages.js';
import { approve } from '../../steering/approve.js';
import { updateLoopState } from '../../storage/loopState.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { readRegistry, registerBenchmark } from '../../storage/registry.js';
import { castError } from '../../workers/castErrors.js';
import { givenCard } from '../support/models/givenModel.js';
import { localEnvironment, withWorkers } from '../support/servers/workflowEnvironment.js';
import { fakeActivities, testConfig } from '../support/standIns/fakeActivities.js';
import { memoryStore } from '../support/standIns/memoryStore.js';
import { stepResult } from '../support/standIns/stepResult.js';
import { taxonomy } from '../training/tinyPool.js';

const CARD = givenCard(taxonomy, 64, 'c'.repeat(64));

/** What a person does by the update form of the Temporal UI, and by the command line. */
describe('the approval of a candidate', () => {
  let environment: TestWorkflowEnvironment;
  let store: ObjectStore;
  before(async () => {
    environment = await localEnvironment();
  });
  after(() => environment?.teardown());
  beforeEach(() => {
    store = memoryStore();
  });

  const loop = () => environment.client.workflow.getHandle('loop:cars');
  const update = (request: object) => loop().executeUpdate<Approval, [object]>('approveIteration', { args: [request] });
  const inProduction = async () => (await readRegistry(store, CARD.taxonomyDigest)).model?.iteration ?? null;
  const model = (iteration: number): RegisteredModel => ({
    ...{ scan: `${iteration}.onnx`, card: 'model.json', loop: 'cars' },
    ...{ digest: String(iteration).repeat(64), iteration },
  });

  /** An iteration of the loop whose candidate was compared with `benchmark`. */
  async function record(iteration: number, parts: Partial<Decision>): Promise<void> {
    const decision = decisionSchema.parse({
      ...{ version: 1, gate: 'held', promoted: false, reasons: [], pendingApproval: true, testVersion: 't' },
      ...{ candidate: model(iteration), benchmark: null, candidateMiou: 0.6, benchmarkMiou: null, gain: null },
      ...{ lower: null, upper: null, detectable: null, units: 1, look: null, alpha: null, slices: [], lostClasses: [] },
      ...{ previousCandidate: null, ...parts },
    });
    const key = `decision-${iteration}.json`;
    await store.put(key, JSON.stringify(decision));
    await store.put('model.json', JSON.stringify(CARD));
    const attempt = { runId: 'r', status: 'finished' as const, error: null, config: testConfig, force: null };
    const results = { decide: stepResult('decide', { decision: key }) };
    await updateLoopState(store, 'cars', (state) =>
      withAttempt(state, iteration, { ...attempt, recordedAt: '2026-01-01T00:00:00Z', results }),
    );
  }

  /** Work while the loop is open, with the activity as it is. */
  function whileOpen(work: () => Promise<void>): Promise<void> {
    const activities = {
      ...fakeActivities().activities,
      approveIteration: (input: Parameters<typeof approveIteration>[1]) =>
        approveIteration({ store }, input).catch((error: unknown) => {
          throw castError(error, { role: 'light', host: 'here' });
        }),
    };
    return withWorkers(environment, activities, async () => {
      await environment.client.workflow.executeUpdateWithStart('pause', {
        args: [{}],
        startWorkflowOperation: new WithStartWorkflowOperation('trainingLoop', {
          workflowId: 'loop:cars',
          taskQueue: LIGHT_QUEUE,
          args: [{}],
          workflowIdConflictPolicy: 'USE_EXISTING',
        }),
      });
      await work();
      await loop().executeUpdate('stop', { args: [{}] });
      await loop().result();
    });
  }
  const refused = (words: RegExp) => (error: unknown) =>
    error instanceof WorkflowUpdateFailedError && words.test(String(error.cause?.message));

  it('takes the last iteration for an empty form, and gives the same answer when it is sent again', async () => {
    await record(1, { gate: 'first' });
    await record(2, {});
    await whileOpen(async () => {
      const first = await update({});
      assert.deepEqual(first, { ...first, loop: 'cars', iteration: 2, model: model(2) });
      assert.equal(first.reason, 'approved by somebody in the Temporal UI');
      assert.deepEqual(await update({ iteration: 2, by: 'Kim' }), first);
    });
    assert.equal((await readRegistry(store, CARD.taxonomyDigest)).history.length, 1);
  });

  it('takes the iteration that the form names', async () => {
    await record(1, {});
    await record(2, {});
    await whileOpen(async () => {
      assert.equal((await update({ iteration: 1, by: 'Kim' })).reason, 'approved by Kim');
    });
    assert.equal(await inProduction(), 1);
  });

  it('is refused in plain words if nothing waits, if production has moved, and for what is not there', async () => {
    await whileOpen(async () => {
      await assert.rejects(update({}), refused(/^loop `cars` has recorded no iteration yet/));
      await record(1, { pendingApproval: false, gate: 'rejected' });
      await assert.rejects(
        update({}),
        refused(/^the candidate does not wait for approval: the gate's result is rejected/),
      );
      await record(2, {});
      await registerBenchmark(store, CARD.taxonomyDigest, model(7), 'promoted meanwhile');
      await assert.rejects(update({}), refused(/^the gate compared with another model than the one in production/));
      await assert.rejects(update({ iteration: 5 }), refused(/^loop `cars` has no iteration 5: it has 1, 2/));
      await assert.rejects(update({ iterations: 1 }), refused(/iterations/));
    });
    assert.equal(await inProduction(), 7);
  });

  it('goes through the loop if it is open, and does without it if it is not', async () => {
    await record(1, {});
    const asked = { iteration: 1, by: 'Kim' };
    let first: Approval | undefined;
    await whileOpen(async () => {
      first = await approve(environment.client, store, 'cars', asked);
      const { events } = await loop().fetchHistory();
      const accepted = events?.map((event) => event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest);
      assert.ok(accepted?.some((request) => request?.input?.name === 'approveIteration'));
    });
    assert.equal(await inProduction(), 1);
    assert.deepEqual(await approve(environment.client, store, 'cars', asked), first);
    await record(2, { benchmark: model(1) });
    assert.equal((await approve(environment.client, store, 'cars', { by: 'Kim' })).iteration, 2);
  });
});
