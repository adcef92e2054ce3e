import type { Client } from '@temporalio/client';
import type { State, WorkerStatus } from '@temporalio/worker';
import { ROLES, type Role } from '../roles.js';
import { whyUnseen } from './seen.js';

/** However often probes ask, Temporal is asked once in this time per role. */
const KEPT_MS = 5_000;
const DRAINING = 'takes no more work and ends';

/** The answer to a probe: for each role what is wrong, or null. */
export type Findings = Record<string, string | null>;

/** What of the SDK's `Worker` tells whether it works. */
export interface Followed {
  getState(): State;
  getStatus(): Pick<WorkerStatus, 'numInFlightActivities'>;
  options: { identity: string };
}

/** What probes learn of the workers of one process. */
export interface Health {
  /** From now on this worker is the one of its role. Gives it back. */
  follow<One extends Followed>(role: Role, worker: One): One;
  /** From now on no worker of this process takes work. */
  drain(): void;
  /** Whether the process had better be ended: a worker of it failed. */
  live(): Findings;
  /** Whether each worker asks its queue for work, or has as much as it takes, and Temporal answers. */
  ready(): Promise<Findings>;
}

/** Health of a process that works for `roles`; `ready` is false until each has a worker that polls. */
export function workerHealth(roles: readonly Role[], client: () => Client | null, keptMs = KEPT_MS): Health {
  const workers = new Map<Role, Followed>();
  const seen = new Map<Role, { until: number; why: Promise<string | null> }>();
  let drains = false;

  const whyNotReady = (role: Role): string | null | Promise<string | null> => {
    const worker = workers.get(role);
    if (drains) return DRAINING;
    if (worker === undefined) return 'checks its machine';
    const state = worker.getState();
    return state === 'RUNNING' ? whyNotSeen(role, worker) : `its worker is ${state}`;
  };
  const whyNotSeen = (role: Role, worker: Followed): Promise<string | null> => {
    const known = seen.get(role);
    if (known !== undefined && performance.now() < known.until) return known.why;
    const connected = client();
    const { identity } = worker.options;
    const isFull = (): boolean => worker.getStatus().numInFlightActivities >= ROLES[role].maxActivities;
    const why =
      connected === null
        ? Promise.resolve('is not connected to Temporal')
        : whyUnseen(connected, { identity, taskQueue: ROLES[role].taskQueue, isFull });
    seen.set(role, { until: performance.now() + keptMs, why });
    return why;
  };

  return {
    follow(role, worker) {
      workers.set(role, worker);
      seen.delete(role);
      return worker;
    },
    drain() {
      drains = true;
    },
    live: () =>
      Object.fromEntries(
        roles.map((role) => [role, workers.get(role)?.getState() === 'FAILED' ? 'its worker failed' : null]),
      ),
    async ready() {
      const whys = await Promise.all(roles.map(whyNotReady));
      return Object.fromEntries(roles.map((role, index) => [role, drains ? DRAINING : (whys[index] ?? null)]));
    },
  };
}
