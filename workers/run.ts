import { hostname } from 'node:os';
import type { Client } from '@temporalio/client';
import { NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { ActivityDeps } from '../activities/deps.js';
import { workerIdentity } from '../domain/workerIdentity.js';
import { activitiesFor } from './activities.js';
import { castErrors } from './castErrors.js';
import { temporalFromEnvironment } from './connections.js';
import { ROLES, type Role } from './roles.js';
import { workflowBuild, workflowCode } from './workflowCode.js';

/** A cancellation or a pause reaches an activity with its next heartbeat; at most this long after it was asked for. */
const LONGEST_SILENCE = '10 seconds';

/** A worker for one role, connected and ready to run. */
export async function createWorker(role: Role, deps: ActivityDeps & { client: Client }): Promise<Worker> {
  const { connection, namespace } = temporalFromEnvironment();
  const { taskQueue, workflows, maxActivities, graceTime, forceTime } = ROLES[role];
  const build = workflowBuild(deps.root);
  return Worker.create({
    connection: await NativeConnection.connect(connection),
    namespace,
    taskQueue,
    identity: workerIdentity(role, process.pid, hostname()),
    activities: activitiesFor(role, deps),
    maxConcurrentActivityTaskExecutions: maxActivities,
    shutdownGraceTime: graceTime,
    shutdownForceTime: forceTime,
    maxHeartbeatThrottleInterval: LONGEST_SILENCE,
    interceptors: { activity: [castErrors] },
    ...(workflows ? workflowCode(deps.root) : {}),
    ...(workflows && build !== null ? { buildId: build } : {}),
  });
}

/**
 * Run until SIGTERM or SIGINT: stop polling, let activities save what they have, end.
 *
 * @throws the reason for which an activity retired this process, once the workers have ended in order
 */
export async function runWorkers(roles: readonly Role[], deps: ActivityDeps & { client: Client }): Promise<void> {
  Runtime.install({ shutdownSignals: [] });
  const workers: Worker[] = [];
  let retired: Error | null = null;
  // No worker polls from here on; trainings save and upload, give their lease back, and report before the process ends.
  const stop = (): void => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  const retire = (reason: Error): void => {
    retired ??= reason;
    deps.log.error(
      { reason: reason.message },
      'a thread hangs in native code: this process takes no more work and ends',
    );
    stop();
  };
  workers.push(...(await Promise.all(roles.map((role) => createWorker(role, { ...deps, retire })))));
  const asked = (signal: NodeJS.Signals): void => {
    deps.log.info({ signal, roles }, 'asked to stop: no more work is taken, what is under way saves');
    stop();
  };
  // Not `once`: a library that finds no listener left at a second signal would end the process.
  process.on('SIGTERM', asked);
  process.on('SIGINT', asked);
  deps.log.info({ roles }, 'workers are polling');
  await Promise.all(workers.map((worker) => worker.run()));
  deps.log.info({ roles }, 'workers have ended');
  if (retired !== null) throw retired;
}
