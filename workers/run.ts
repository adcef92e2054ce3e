import { hostname } from 'node:os';
import type { Client } from '@temporalio/client';
import { NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { PartloopError } from '../domain/base/errors.js';
import { workerIdentity } from '../domain/base/workerIdentity.js';
import type { ActivityDeps } from '../steps/deps.js';
import type { Tracing } from '../telemetry/traces/tracing.js';
import { activitiesFor } from './activities.js';
import { castErrors } from './castErrors.js';
import { checkEquipment, type Equipment } from './checks/check.js';
import { temporalFromEnvironment } from './connections.js';
import type { Health } from './health/health.js';
import { keepWorking } from './keepWorking.js';
import { runtimeLogs } from './log.js';
import { measured } from './metrics/measured.js';
import { installRuntime } from './metrics/runtime.js';
import { ROLES, type Role } from './roles.js';
import { traced } from './traced.js';
import { workflowBuild, workflowCode } from './workflowCode.js';

/** A span is not worth a longer wait for Temporal. */
const DESCRIBE_MS = 3_000;
/** A cancellation or a pause reaches an activity with its next heartbeat; at most this long after the request. */
const LONGEST_SILENCE = '10 seconds';

/** Resources shared by the workers of this process. */
export interface Shared {
  deps: ActivityDeps & { client: Client };
  /** The same, in the form for the checks before the first task. */
  equipment: Equipment;
  /** Where Prometheus is answered; null for nowhere. */
  metrics?: string | null;
  /** Takes spans; null if nobody wants them. */
  tracing?: Tracing | null;
  /** Told of each worker and of the end. */
  health: Health;
}

/** A worker for one role, connected and ready to run; `onEnd` gets the end of each activity. */
export async function createWorker(
  role: Role,
  deps: ActivityDeps & { client: Client },
  onEnd?: (fault: PartloopError | null) => void,
  tracing: Tracing | null = null,
): Promise<Worker> {
  const { connection, namespace } = temporalFromEnvironment();
  const { taskQueue, workflows, maxActivities, graceTime, forceTime } = ROLES[role];
  const build = workflowBuild(deps.root);
  const describe = (workflowId: string) =>
    deps.client.withDeadline(Date.now() + DESCRIBE_MS, () => deps.client.workflow.getHandle(workflowId).describe());
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
    interceptors: {
      activity: [
        measured({ meter: Runtime.instance().metricMeter, role, home: deps.home }),
        ...(tracing === null ? [] : [traced({ tracing, role, storeUri: deps.store.uri, describe })]),
        castErrors(role, onEnd),
      ],
    },
    ...(workflows ? workflowCode(deps.root) : {}),
    ...(workflows && build !== null ? { buildId: build } : {}),
  });
}

/**
 * Run until SIGTERM or SIGINT: stop polling, let activities save what they have, end.
 *
 * @throws the missing parts of a machine for its roles; the reason for which an activity retired this process, after
 * the workers have ended in order
 */
export async function runWorkers(
  roles: readonly Role[],
  { deps, equipment, health, metrics = null, tracing = null }: Shared,
): Promise<void> {
  // A poll that is given up at once loses the task that is on its way to it, until its heartbeat is missed: ten minutes
  // of a training. (https://github.com/temporalio/sdk-rust/issues/1080)
  process.env.TEMPORAL_POLL_SHUTDOWN_INTERRUPT_WAIT_MS ??= '1000';
  installRuntime({ shutdownSignals: [], ...runtimeLogs(deps.log) }, metrics);
  const stopped = new AbortController();
  stopped.signal.addEventListener('abort', health.drain, { once: true });
  let broken: Error | null = null;
  const end = (reason: Error): void => {
    broken ??= reason;
    stopped.abort();
  };
  const retire = (reason: Error): void => {
    deps.log.error(
      { reason: reason.message },
      'a thread hangs in native code: this process takes no more work and ends',
    );
    end(reason);
  };
  // After this no worker polls; trainings save, upload, return their lease and report before the process ends.
  const asked = (signal: NodeJS.Signals): void => {
    deps.log.info({ signal, roles }, 'asked to stop: no more work is taken, what is under way saves');
    stopped.abort();
  };
  // Not `once`: a library that finds no listener at a second signal would end the process.
  process.on('SIGTERM', asked);
  process.on('SIGINT', asked);
  const posts = roles.map((role) => ({
    create: async (onEnd: (fault: PartloopError | null) => void) =>
      health.follow(role, await createWorker(role, { ...deps, retire }, onEnd, tracing)),
    check: () => checkEquipment(role, equipment),
    log: deps.log,
  }));
  // If one role cannot work, the others end in order, not abruptly.
  await Promise.all(posts.map((post) => keepWorking(post, stopped.signal).catch(end)));
  await tracing?.shutdown();
  deps.log.info({ roles }, 'workers have ended');
  if (broken !== null) throw broken;
}
