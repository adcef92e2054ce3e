import { LIGHT_QUEUE, SCAN_QUEUE, TRAIN_QUEUE } from '../domain/base/queues.js';
import type { WorkerRole } from '../domain/settings/variables.js';

/**
 * What one worker process may take on. Scan takes two activities a device and train one, so that a queue and not a
 * crowded machine holds what waits. `graceTime` passes before activities are cancelled, for a batch to end; `forceTime`
 * before the process ends whatever they do.
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
    // With the pictures in hand, less than the 30 s after which Kubernetes kills: a killed attempt looks like a crash.
    graceTime: '20 seconds',
    forceTime: '90 seconds',
  },
  train: {
    taskQueue: TRAIN_QUEUE,
    workflows: false,
    maxActivities: 1,
    // A training saves at once: whoever stops this process may not wait for long.
    graceTime: '0 seconds',
    forceTime: '150 seconds',
  },
} as const satisfies Record<WorkerRole, unknown>;

export type Role = keyof typeof ROLES;
export const ROLE_NAMES = Object.keys(ROLES) as Role[];
