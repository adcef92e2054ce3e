import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { PartloopError } from '../../domain/base/errors.js';
import { missingSearchAttributes, registerSearchAttributes } from '../../workers/searchAttributes.js';
import { homePaths, venvBinary } from '../home.js';
import type { Address, Ports } from './ports.js';

export const LOCAL_NAMESPACE = 'default';
/** The dev server would forget closed runs after a day; then they could not be replayed. */
const RETENTION_SECONDS = 90 * 24 * 3600;
const READY_TIMEOUT_MS = 60_000;

/**
 * The server opens an HTTP API that cannot be turned off and takes a simple cross-origin POST from any web page. It
 * answers only requests for these host names: a name of a domain that never exists closes it. gRPC still works.
 */
const HTTP_API_HOSTS = 'frontend.httpAllowedHosts=["closed.partloop.invalid"]';

/**
 * The Temporal dev server with a database file, only for this machine. Its Web UI takes requests for any host name, so
 * it listens at an address that only `uiGate` knows.
 */
export function temporalCommand(home: string, ports: Ports, ui: Address): { command: string; args: string[] } {
  const options = {
    '--db-filename': homePaths(home).temporalDatabase,
    '--ip': '127.0.0.1',
    '--port': ports.temporal,
    '--ui-ip': ui.host,
    '--ui-port': ui.port,
    '--http-port': ports.temporalHttp,
    '--dynamic-config-value': HTTP_API_HOSTS,
    '--metrics-port': ports.temporalMetrics,
    '--log-level': 'warn',
  };
  const flags = Object.entries(options).flatMap(([flag, value]) => [flag, String(value)]);
  return { command: venvBinary('temporal'), args: ['server', 'start-dev', ...flags, '--ui-disable-news-fetch'] };
}

/** Wait until the service answers, then make sure of its retention and search attributes. */
export async function prepareTemporal(ports: Ports, signal: AbortSignal): Promise<void> {
  const connection = await connectWhenReady(`127.0.0.1:${ports.temporal}`, signal);
  try {
    await setRetention(connection);
    const missing = await missingSearchAttributes(connection, LOCAL_NAMESPACE);
    await registerSearchAttributes(connection, LOCAL_NAMESPACE, missing);
  } finally {
    await connection.close();
  }
}

async function setRetention(connection: Connection): Promise<void> {
  const { config } = await connection.workflowService.describeNamespace({ namespace: LOCAL_NAMESPACE });
  if (Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) >= RETENTION_SECONDS) return;
  await connection.workflowService.updateNamespace({
    namespace: LOCAL_NAMESPACE,
    config: { workflowExecutionRetentionTtl: msToTs(RETENTION_SECONDS * 1000) },
  });
}

async function connectWhenReady(address: string, signal: AbortSignal): Promise<Connection> {
  const deadline = performance.now() + READY_TIMEOUT_MS;
  for (;;) {
    signal.throwIfAborted();
    try {
      const connection = await Connection.connect({ address, connectTimeout: '2 seconds' });
      await connection.workflowService.describeNamespace({ namespace: LOCAL_NAMESPACE });
      return connection;
    } catch (cause) {
      if (performance.now() > deadline) {
        throw new PartloopError(
          'stack-unavailable',
          `the Temporal server at ${address} did not answer within a minute`,
          { cause },
        );
      }
      await sleep(100);
    }
  }
}
