import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { PartloopError } from '../../domain/base/errors.js';
import { dropsOfEvent, type StorePlace } from '../../domain/ingest/objectEvents.js';

const MAX_BODY = 2 ** 20;
const BODY_MS = 10_000;

export interface EventServerOptions {
  place: StorePlace;
  /** What a request must carry as `Authorization: Bearer`; null asks for nothing. */
  token: string | null;
  /** Starts or wakes the ingest of a pool. */
  wake(pool: string): Promise<void>;
  onError(error: unknown): void;
}

/**
 * Takes events of an object store by POST and wakes the ingest of each pool that a drop came for. It answers once that
 * is done, so that a sender that retries loses no event: 200 with the pools, 400 for what is no event, 401 without the
 * token, 503 if Temporal does not answer.
 */
export function eventServer(options: EventServerOptions): Server {
  const server = createServer((request, response) => {
    void answer(request, options).then(
      ({ status, body }) => send(response, status, body),
      (error: unknown) => {
        options.onError(error);
        send(response, 503, { error: 'the ingest could not be started; send the event again' });
      },
    );
  });
  server.requestTimeout = BODY_MS;
  server.headersTimeout = BODY_MS;
  return server;
}

interface Answer {
  status: number;
  body: Record<string, unknown>;
}

async function answer(request: IncomingMessage, { place, token, wake }: EventServerOptions): Promise<Answer> {
  if (request.method === 'GET') return { status: 200, body: { ok: true } };
  if (request.method !== 'POST') return { status: 405, body: { error: 'send events by POST' } };
  if (token !== null && !isBearer(request.headers.authorization, token))
    return { status: 401, body: { error: 'the header `Authorization: Bearer` does not carry the token' } };
  const text = await bodyOf(request);
  if (text === null) return { status: 413, body: { error: `an event has at most ${MAX_BODY} bytes` } };
  const drops = dropsOfEvent(parsed(text), place);
  if (drops === null) return { status: 400, body: { error: 'this is no S3 or EventBridge event of an object' } };
  const pools = [...new Set(drops.map(({ pool }) => pool))];
  for (const pool of pools) await wake(pool);
  return { status: 200, body: { woken: pools } };
}

function isBearer(header: string | undefined, token: string): boolean {
  const given = Buffer.from(header ?? '');
  const wanted = Buffer.from(`Bearer ${token}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

/** null for one that is too long. */
async function bodyOf(request: IncomingMessage): Promise<string | null> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request) {
    const bytes = Buffer.from(part);
    size += bytes.length;
    if (size > MAX_BODY) return null;
    parts.push(bytes);
  }
  return Buffer.concat(parts).toString('utf8');
}

function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return null;
  }
}

function send(response: ServerResponse, status: number, body: Record<string, unknown>): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

const LOOPBACK = /^(127(\.\d{1,3}){3}|::1|localhost)$/;

/** @throws PartloopError `config-invalid` for a server that others could reach and that asks for no token */
export function assertGuarded(host: string, token: string | null): void {
  if (LOOPBACK.test(host) || token !== null) return;
  throw new PartloopError('config-invalid', `--host ${host} can be reached from elsewhere, and no token guards it`, {
    hint: 'Set PARTLOOP_INGEST_TOKEN, which senders give as `Authorization: Bearer TOKEN`; or listen on 127.0.0.1.',
  });
}
