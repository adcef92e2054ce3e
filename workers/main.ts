import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Client } from '@temporalio/client';
import { PartloopError } from '../domain/base/errors.js';
import { FAILURES } from '../domain/base/failures/failure.js';
import { readVariables, type Variables } from '../domain/settings/variables.js';
import { isInsideNetwork } from '../inference/sessions/thread.js';
import { isStalled } from '../inference/watchdog.js';
import type { ActivityDeps } from '../steps/deps.js';
import { openStore } from '../storage/objects/s3.js';
import { notifier } from '../telemetry/notify/notifier.js';
import { webhookOf } from '../telemetry/notify/webhook.js';
import type { Tracing } from '../telemetry/traces/tracing.js';
import { connectClient, storeFromEnvironment, temporalFromEnvironment } from './connections.js';
import { workerHealth } from './health/health.js';
import { serveHealth } from './health/serve.js';
import { workerLog } from './log.js';
import { ROLE_NAMES, type Role } from './roles.js';
import { runWorkers } from './run.js';

/**
 * `node dist/workers/main.js --role light|scan|train|all`: one worker process; everything it needs is in its
 * environment.
 */
const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');
const { values } = parseArgs({ options: { role: { type: 'string', default: 'all' } } });
const log = workerLog(values.role);

// Only the owner may read pictures and labels in caches, even if no supervisor started this process.
process.umask(0o077);
try {
  const roles = rolesOf(values.role);
  const variables = readVariables(process.env);
  const { PARTLOOP_HEALTH_PORT: port, PARTLOOP_HEALTH_HOST: host } = variables;
  const connected: { client: Client | null } = { client: null };
  const health = workerHealth(roles, () => connected.client);
  // First of all: who probes must learn of a start that takes its time.
  if (port !== undefined) await serveHealth(health, { host, port });
  const store = await storeFromEnvironment(process.env);
  const common = { home: variables.PARTLOOP_HOME ?? join(root, '.partloop'), root };
  const client = await connectClient();
  connected.client = client;
  const deps = { ...common, store: openStore(store), log, client, board: variables.PARTLOOP_BOARD_URL };
  await runWorkers(roles, {
    deps: { ...deps, ...notifying(variables, deps) },
    health,
    metrics: variables.PARTLOOP_METRICS_ADDRESS ?? null,
    tracing: await tracingOf(variables),
    equipment: { ...common, store, client, address: temporalFromEnvironment().connection.address },
  });
  leave(0);
} catch (error) {
  const known = error instanceof PartloopError;
  log.fatal(
    known ? { code: error.code, hint: error.hint } : { err: error },
    error instanceof Error ? error.message : String(error),
  );
  leave(known ? FAILURES[error.code].exitCode : 1, isStalled(error));
}

/** Where the environment names a webhook, how it is told. */
function notifying(variables: Variables, deps: Pick<ActivityDeps, 'store' | 'log'> & { client: Client }) {
  const webhook = webhookOf(variables);
  const uiUrl = variables.TEMPORAL_UI_URL?.replace(/\/$/, '') ?? null;
  const { namespace } = deps.client.options;
  return webhook === null ? {} : { notify: notifier({ ...deps, webhook, uiUrl, namespace }) };
}

/** Spans are sent where the environment says; the libraries for it load only then. */
async function tracingOf({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }: Variables): Promise<Tracing | null> {
  if (endpoint === undefined) return null;
  const { openTracing } = await import('../telemetry/traces/tracing.js');
  return openTracing(log, { 'service.instance.id': `${values.role}@${hostname()}` });
}

/** End this process. Where a thread hangs in native code `process.exit` would wait for it without end. */
function leave(code: number, hangs = false): void {
  if (!hangs && !isInsideNetwork()) process.exit(code);
  log.fatal('a thread hangs in native code: the process is killed');
  process.kill(process.pid, 'SIGKILL');
}

function rolesOf(asked: string): readonly Role[] {
  if (asked === 'all') return ROLE_NAMES;
  const role = ROLE_NAMES.find((name) => name === asked);
  if (role === undefined)
    throw new PartloopError('input-invalid', `there is no role \`${asked}\`; roles: ${ROLE_NAMES.join(', ')}, all`);
  return [role];
}
