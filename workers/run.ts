import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { ActivityDeps } from '../activities/deps.js';
import { activitiesFor } from './activities.js';
import { castErrors } from './castErrors.js';
import { temporalFromEnvironment } from './connections.js';
import { ROLES, type Role } from './roles.js';

/** A worker for one role, connected and ready to run. */
export async function createWorker(role: Role, deps: ActivityDeps & { client: Client }): Promise<Worker> {
  const { connection, namespace } = temporalFromEnvironment();
  const { taskQueue, workflows, maxActivities, graceTime, forceTime } = ROLES[role];
  return Worker.create({
    connection: await NativeConnection.connect(connection),
    namespace,
    taskQueue,
    activities: activitiesFor(role, deps),
    maxConcurrentActivityTaskExecutions: maxActivities,
    shutdownGraceTime: graceTime,
    shutdownForceTime: forceTime,
    interceptors: { activity: [castErrors] },
    ...(workflows ? workflowCode(deps.root) : {}),
  });
}

/** The bundle made at build time where there is one: workers then start in a second. */
function workflowCode(root: string): { workflowBundle: { codePath: string } } | { workflowsPath: string } {
  const codePath = join(root, 'dist', 'workflow-bundle.js');
  return existsSync(codePath)
    ? { workflowBundle: { codePath } }
    : { workflowsPath: join(root, 'dist', 'workflows', 'index.js') };
}

/** Run until SIGTERM or SIGINT; activities get their grace to save what they have. */
export async function runWorkers(roles: readonly Role[], deps: ActivityDeps & { client: Client }): Promise<void> {
  Runtime.install({ shutdownSignals: [] });
  const workers = await Promise.all(roles.map((role) => createWorker(role, deps)));
  const stop = (): void => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  deps.log.info({ roles }, 'workers are polling');
  await Promise.all(workers.map((worker) => worker.run()));
}
