import { LIGHT_QUEUE, SCAN_QUEUE, TRAIN_QUEUE } from '../domain/base/queues.js';
import type { WorkerRole } from '../domain/settings/variables.js';

/**
 * The activities that one worker process may run at once. Scan takes two per device and train one, so that waiting work
 * stays in the queue and does not crowd a machine. `graceTime` passes before activities are cancelled, so that a batch
 * can end; `forceTime` passes before the process ends in any case.
 */
export const ROLES = {
  light: {
    taskQueue: LIGHT_QUEUE,
    workflows: true,
    maxActivities: 8,
    graceTime: '15 seconds',
    forceTime: '45 seconds',
  },
  scan: {
    taskQueue: SCAN_QUEUE,
    workflows: false,
    maxActivities: 2,
    // Together with the pictures in hand, less than the 30 s after which Kubernetes kills: a killed attempt looks like
    // a crash.
    graceTime: '20 seconds',
    forceTime: '90 seconds',
  },
  train: {
    taskQueue: TRAIN_QUEUE,
    workflows: false,
    maxActivities: 1,
    // A training saves at once, since the process may have little time to stop.
    graceTime: '0 seconds',
    forceTime: '150 seconds',
  },
} as const satisfies Record<WorkerRole, unknown>;

export type Role = keyof typeof ROLES;
export const ROLE_NAMES = Object.keys(ROLES) as Role[];
