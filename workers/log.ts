import { hostname } from 'node:os';
import type { LogLevel, LogMetadata, RuntimeOptions } from '@temporalio/worker';
import { type DestinationStream, type Logger, pino } from 'pino';
import { activityFields, type LogFields, workflowFields } from './logFields.js';

/**
 * The log of a worker process: JSON lines, each with process, host and role. Lines of an activity also have its
 * workflow, run, loop, iteration, step, shard and attempt, whoever writes them.
 */
export function workerLog(role: string, destination?: DestinationStream): Logger {
  const options = {
    name: 'partloop',
    base: { pid: process.pid, host: hostname() },
    mixin: () => ({ role, ...activityFields() }),
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

const LEVELS = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

/** Names of Temporal's libraries for fields that our lines name differently. */
const RENAMED: Readonly<Record<string, keyof LogFields | 'err'>> = {
  workflowId: 'workflow',
  workflow_id: 'workflow',
  runId: 'run',
  run_id: 'run',
  activityType: 'step',
  activity_type: 'step',
  attempt: 'attempt',
  error: 'err',
};
const MINIMUM = new Set<LogLevel>(['INFO', 'WARN', 'ERROR']);

/** Options of Temporal's runtime by which its own lines, and those of workflows, go into the same log. */
export function runtimeLogs(log: Logger): Pick<RuntimeOptions, 'logger' | 'telemetryOptions'> {
  const write = (level: LogLevel, message: string, meta: LogMetadata = {}): void => {
    if (!MINIMUM.has(level)) return;
    log[LEVELS[level]](temporalFields(meta), message);
  };
  return {
    logger: {
      log: write,
      trace: (message, meta) => write('TRACE', message, meta),
      debug: (message, meta) => write('DEBUG', message, meta),
      info: (message, meta) => write('INFO', message, meta),
      warn: (message, meta) => write('WARN', message, meta),
      error: (message, meta) => write('ERROR', message, meta),
    },
    telemetryOptions: { logging: { forward: {}, filter: { core: 'WARN', other: 'WARN' } } },
  };
}

/** The fields of Temporal's libraries beside a message, under our names. */
function temporalFields(meta: LogMetadata): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(meta)) {
    const ours = RENAMED[name];
    if (ours !== undefined) fields[ours] = value;
    else if (['string', 'number', 'boolean'].includes(typeof value)) fields[name] = value;
  }
  const { workflow } = fields;
  return typeof workflow === 'string' ? { ...workflowFields(workflow), ...fields } : fields;
}
