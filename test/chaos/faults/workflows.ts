import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, WorkflowExecutionAlreadyStartedError, WorkflowFailedError } from '@temporalio/client';
import { scheduleId } from '../../../cli/loop/schedules.js';
import { iterationWorkflowId, loopWorkflowId, scanWorkflowId, tuneWorkflowId } from '../../../domain/base/ids.js';
import { LIGHT_QUEUE } from '../../../domain/base/queues.js';
import { isOpen } from '../../../steps/workflows/openWorkflows.js';
import { AccountError, type StartAnswer } from '../outcome/account.js';
import { runningIteration } from '../progress.js';
import { drawn, type Fault, type World } from './fault.js';

export const SCHEDULE = 'chaos';
/** A start waits for the light worker, which may be frozen, dead or starting. */
const ANSWER_MS = 180_000;
const TRIGGERED_MS = 20_000;
const WORKFLOWS = ['loop', 'iteration', 'scan', 'tune'] as const;
const WORKFLOW_TASK_COMPLETED = 7;

/** Resets to a random point, and terminations, of each workflow of a loop, as the UI does them. */
export const workflowFaults: Fault[] = WORKFLOWS.flatMap((target): Fault[] => [
  { kind: 'reset', target, inject: (world) => onOpen(world, target, (client, id) => reset(world, client, id)) },
  {
    kind: 'terminate',
    target,
    inject: (world) =>
      onOpen(world, target, async (client, workflowId) => {
        await client.workflow.getHandle(workflowId).terminate('chaos');
        return workflowId;
      }),
  },
]);

async function onOpen(
  world: World,
  target: (typeof WORKFLOWS)[number],
  work: (client: Client, workflowId: string) => Promise<string | null>,
): Promise<string | null> {
  return world.inTurn(() =>
    world.home.withClient(async (client) => {
      const iteration = await runningIteration(client, world.loop, world.iterations);
      if (iteration === null) return null;
      const parent = iterationWorkflowId(world.loop, iteration);
      const ids = {
        loop: loopWorkflowId(world.loop),
        iteration: parent,
        scan: scanWorkflowId(parent),
        tune: tuneWorkflowId(parent),
      };
      const found = await client.workflow
        .getHandle(ids[target])
        .describe()
        .catch(() => null);
      return found?.status.name === 'RUNNING' ? work(client, ids[target]) : null;
    }),
  );
}

/** To the end of one of its workflow tasks. */
async function reset({ random }: World, client: Client, workflowId: string): Promise<string | null> {
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  const point = drawn(
    random,
    (events ?? []).filter(({ eventType }) => Number(eventType) === WORKFLOW_TASK_COMPLETED),
  );
  if (point === null || point.eventId == null) return null;
  await client.workflowService.resetWorkflowExecution({
    namespace: client.options.namespace,
    workflowExecution: { workflowId },
    reason: 'chaos',
    requestId: randomUUID(),
    workflowTaskFinishEventId: point.eventId,
  });
  return `${workflowId}, event ${point.eventId} of ${events?.length}`;
}

/**
 * A start of one iteration more, by a person or by a schedule, while the loop runs; none beyond what it is to do in the
 * end.
 */
const starting = (kind: 'start' | 'schedule', ask: (world: World) => Promise<StartAnswer | null>): Fault => ({
  kind,
  target: 'loop',
  inject: (world) =>
    world.inTurn(async () => {
      const { account, iterations, home, loop } = world;
      if (account.owed === 0 || account.owed >= iterations) return null;
      // After a termination the person starts the loop, and knows the remaining work.
      if (!(await home.withClient((client) => isOpen(client, loopWorkflowId(loop))))) return null;
      const answer = await ask(world);
      if (answer === null) return null;
      account.take(1, answer);
      return `${answer.outcome}; iteration ${account.owed} is promised`;
    }),
});

export const startFaults: Fault[] = [
  starting('start', (world) => askForIterations(world, 1)),
  starting('schedule', triggerSchedule),
];

/** Start the loop as a person does. The answer counts, however long it takes. */
export async function askForIterations(world: World, iterations: number): Promise<StartAnswer> {
  const workflowId = `start:${world.loop}:${randomUUID()}`;
  await persistently(world, async (client) => {
    const args = [{ loop: world.loop, iterations }];
    await client.workflow.start('startLoop', { workflowId, taskQueue: LIGHT_QUEUE, args }).catch((error: unknown) => {
      // A first try whose answer was lost.
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    });
  });
  return answerOf(world, workflowId);
}

async function triggerSchedule(world: World): Promise<StartAnswer | null> {
  const started = (client: Client) => async (): Promise<string[]> =>
    (await client.schedule.getHandle(scheduleId(SCHEDULE)).describe()).info.recentActions.map(
      ({ action }) => action.workflow.workflowId,
    );
  const seen = await world.home.withClient((client) => started(client)());
  await world.home.withClient((client) => client.schedule.getHandle(scheduleId(SCHEDULE)).trigger()).catch(() => null);
  for (const deadline = Date.now() + TRIGGERED_MS; Date.now() < deadline; await sleep(500)) {
    const now = await world.home.withClient((client) => started(client)()).catch(() => []);
    const id = now.find((each) => !seen.includes(each));
    if (id !== undefined) return answerOf(world, id);
  }
  return null;
}

const answerOf = (world: World, workflowId: string): Promise<StartAnswer> =>
  persistently(world, (client) => client.workflow.getHandle<() => Promise<StartAnswer>>(workflowId).result());

/** Ask until there is an answer: a failed workflow is an answer, an absent server is not. */
async function persistently<T>(world: World, ask: (client: Client) => Promise<T>): Promise<T> {
  const deadline = Date.now() + ANSWER_MS;
  for (;;) {
    try {
      return await world.home.withClient(ask);
    } catch (error) {
      // A refusal of a start is an answer too: it promises nothing.
      if (world.signal.aborted || error instanceof WorkflowFailedError) throw error;
      if (Date.now() > deadline) throw new AccountError(`a start got no answer within ${ANSWER_MS / 60_000} minutes`);
      await sleep(500);
    }
  }
}
