/** A metric of partloop: its kind, its labels, and what it says; the name ends with its unit. */
interface Metric {
  kind: 'counter' | 'gauge' | 'histogram';
  labels: readonly string[];
  help: string;
  /** Upper bounds of a histogram's buckets. */
  buckets?: readonly number[];
}

/** Labels of what an activity measures: they have few values, and never one per image or run. */
const PLACE = ['loop', 'step', 'role'] as const;
const SECONDS = [1, 5, 15, 60, 300, 900, 3_600, 14_400, 86_400] as const;
const SPEEDS = [0.1, 0.3, 1, 3, 10, 30, 100, 300, 1_000] as const;

/** Every metric of partloop's own; docs/monitoring.md has the same table. */
export const METRICS = {
  partloop_queue_wait_seconds: {
    kind: 'histogram',
    labels: PLACE,
    buckets: SECONDS,
    help: 'How long an activity waited for a worker, by its role',
  },
  partloop_activity_seconds: {
    kind: 'histogram',
    labels: [...PLACE, 'outcome'],
    buckets: SECONDS,
    help: 'How long a worker worked on one try of an activity; the sum by step and role is what a step costs',
  },
  partloop_activities_running: {
    kind: 'gauge',
    labels: PLACE,
    help: 'Activities that this worker works on now',
  },
  partloop_failures_total: {
    kind: 'counter',
    labels: [...PLACE, 'code'],
    help: 'Tries of activities that failed, by error code',
  },
  partloop_items_done_total: {
    kind: 'counter',
    labels: [...PLACE, 'unit'],
    help: 'Images, pictures, shards or training iterations done; a step under way that adds none stands still',
  },
  partloop_images_per_second: {
    kind: 'histogram',
    labels: [...PLACE, 'phase'],
    buckets: SPEEDS,
    help: 'Images a second of one activity that has ended, such as one shard of a scan',
  },
  partloop_train_images_per_second: {
    kind: 'gauge',
    labels: PLACE,
    help: 'Images a second of the training under way',
  },
  partloop_checkpoint_timestamp_seconds: {
    kind: 'gauge',
    labels: PLACE,
    help: 'When the newest checkpoint of the training under way reached the store; 0 if no training is under way',
  },
  partloop_iterations_total: {
    kind: 'counter',
    labels: ['loop', 'status'],
    help: 'Iterations that were recorded as finished or failed',
  },
  partloop_step_seconds: {
    kind: 'gauge',
    labels: ['loop', 'step'],
    help: 'Seconds of a step in the newest recorded iteration, waits included',
  },
  partloop_findings: { kind: 'gauge', labels: ['loop'], help: 'Findings of the newest scan' },
  partloop_images_set_aside: { kind: 'gauge', labels: ['loop'], help: 'Images that the newest scan set aside' },
  partloop_miou: { kind: 'gauge', labels: ['loop'], help: 'mIoU of the newest candidate on the test images' },
  partloop_benchmark_miou: {
    kind: 'gauge',
    labels: ['loop'],
    help: 'mIoU of the model in production at the newest decision',
  },
  partloop_approval_pending: {
    kind: 'gauge',
    labels: ['loop'],
    help: '1 if the newest decision waits for approval; it stays until the next decision',
  },
  partloop_disk_free_bytes: {
    kind: 'gauge',
    labels: ['role'],
    help: 'Bytes that are free below PARTLOOP_HOME',
  },
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof METRICS;
export const METRIC_NAMES = Object.keys(METRICS) as MetricName[];

/** The loop of what belongs to none; no loop can have this name. */
export const NO_LOOP = '-';
/** The loop of all further ones once so many were seen: labels stay few whatever people call their loops. */
export const OTHER_LOOPS = '_other';
export const MAX_LOOPS = 100;
