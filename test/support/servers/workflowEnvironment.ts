import { join } from 'node:path';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import {
  bundleWorkflowCode,
  DefaultLogger,
  Runtime,
  Worker,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import type { Activities } from '../../../activities/index.js';
import { LIGHT_QUEUE, SCAN_QUEUE, TRAIN_QUEUE } from '../../../domain/base/queues.js';
import { SEARCH_ATTRIBUTES } from '../../../domain/searchAttributes.js';
import { ROOT, venvBinary } from '../binaries.js';

/** An unregistered search attribute freezes a workflow in a silent retry loop, on test servers too. */
async function registerSearchAttributes(environment: TestWorkflowEnvironment): Promise<void> {
  const searchAttributes = Object.fromEntries(
    Object.values(SEARCH_ATTRIBUTES).map(({ name, type }) => [
      name,
      { KEYWORD: 2, INT: 3, DOUBLE: 4 }[type as string] ?? 2,
    ]),
  );
  await environment.connection.operatorService.addSearchAttributes({
    namespace: environment.namespace ?? 'default',
    searchAttributes,
  });
}

let bundle: Promise<WorkflowBundleWithSourceMap> | undefined;

/** All workflows in one bundle, made once a test process. */
export function workflowBundle(): Promise<WorkflowBundleWithSourceMap> {
  if (bundle === undefined) {
    Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'ERROR' } } });
    bundle = bundleWorkflowCode({
      workflowsPath: join(ROOT, 'dist', 'workflows', 'index.js'),
      logger: new DefaultLogger('ERROR'),
    });
  }
  return bundle;
}

const STARTS = 4;
const TOO_LATE = /did not start within/;

/** The SDK waits five seconds for a server, which is too short on a busy machine. */
async function started(start: () => Promise<TestWorkflowEnvironment>): Promise<TestWorkflowEnvironment> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start();
    } catch (error) {
      if (attempt === STARTS || !TOO_LATE.test(String(error))) throw error;
    }
  }
}

export async function timeSkippingEnvironment(): Promise<TestWorkflowEnvironment> {
  await workflowBundle();
  const server = { executable: { type: 'existing-path', path: venvBinary('temporal-test-server') } } as const;
  const environment = await started(() => TestWorkflowEnvironment.createTimeSkipping({ server }));
  await registerSearchAttributes(environment);
  return environment;
}

/**
 * A poll that a worker gave up may still be open at a busy server, which then hands it the first task of the next test.
 * That task is lost until its timeout. So the server closes the polls of a worker that shuts down.
 */
const CLOSE_POLLS = ['--dynamic-config-value', 'frontend.enableCancelWorkerPollsOnShutdown=true'];

/** A real dev server: schedules, list, reset and pause work. */
export async function localEnvironment(extraArgs: string[] = []): Promise<TestWorkflowEnvironment> {
  await workflowBundle();
  const executable = { type: 'existing-path', path: venvBinary('temporal') } as const;
  const searchAttributes = Object.values(SEARCH_ATTRIBUTES);
  const server = { executable, searchAttributes, extraArgs: [...CLOSE_POLLS, ...extraArgs] };
  return started(() => TestWorkflowEnvironment.createLocal({ server }));
}

/** Run `work` while one worker a task queue polls, all with the same activities. */
export function withWorkers<T>(
  environment: TestWorkflowEnvironment,
  activities: Activities,
  work: () => Promise<T>,
): Promise<T> {
  return withOtherWorkers(environment, activities, work);
}

/** The same with activities of another build, which may take and give other things than those of this one. */
export async function withOtherWorkers<T>(
  environment: TestWorkflowEnvironment,
  activities: object,
  work: () => Promise<T>,
): Promise<T> {
  const workflows = { workflowBundle: await workflowBundle() };
  const common = {
    connection: environment.nativeConnection,
    namespace: environment.namespace ?? 'default',
    activities,
    // A cancellation reaches an activity with its next heartbeat.
    maxHeartbeatThrottleInterval: '50 milliseconds',
  };
  const workers = await Promise.all([
    Worker.create({ ...common, ...workflows, taskQueue: LIGHT_QUEUE }),
    Worker.create({ ...common, taskQueue: SCAN_QUEUE }),
    Worker.create({ ...common, taskQueue: TRAIN_QUEUE }),
  ]);
  const [first, ...others] = workers;
  if (first === undefined) throw new Error('no worker');
  const running = others.map((worker) => worker.run());
  try {
    return await first.runUntil(work());
  } finally {
    for (const worker of others) if (worker.getState() === 'RUNNING') worker.shutdown();
    await Promise.all(running);
  }
}
