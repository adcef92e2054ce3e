import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { PartloopError } from '../../domain/base/errors.js';
import type { Findings, Health } from './health.js';

/** Enough for every prober there is; who opens more connections is no prober. */
const MOST_CONNECTIONS = 32;
const PATIENCE_MS = 5_000;

/**
 * Answer `GET /live` and `GET /ready` with 200 or 503 and `{"scan": null | "what is wrong"}`, until the process ends.
 *
 * @throws PartloopError `setup-incomplete` if nothing can listen there
 */
export async function serveHealth(health: Health, { host, port }: { host: string; port: number }): Promise<Server> {
  const probes: Record<string, () => Findings | Promise<Findings>> = { '/live': health.live, '/ready': health.ready };
  const server = createServer({ requestTimeout: PATIENCE_MS, headersTimeout: PATIENCE_MS }, async (asked, answer) => {
    const probe = Object.hasOwn(probes, asked.url ?? '') ? probes[asked.url ?? ''] : undefined;
    const isRead = asked.method === 'GET' || asked.method === 'HEAD';
    if (probe === undefined || !isRead) {
      answer.writeHead(probe === undefined ? 404 : 405).end();
      return;
    }
    const found = await probe();
    const isFine = Object.values(found).every((why) => why === null);
    answer.writeHead(isFine ? 200 : 503, { 'content-type': 'application/json', 'cache-control': 'no-store' });
    answer.end(`${JSON.stringify(found)}\n`);
  });
  server.maxConnections = MOST_CONNECTIONS;
  server.listen({ host, port });
  try {
    await once(server, 'listening');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new PartloopError('setup-incomplete', `health probes cannot be answered at ${host}:${port}: ${why}`, {
      cause,
      hint: 'Set PARTLOOP_HEALTH_PORT and PARTLOOP_HEALTH_HOST to a free port and an address of this machine.',
    });
  }
  return server;
}
