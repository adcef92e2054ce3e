import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a store can do wrong: to which share of the requests, and for how long it answers late. */
export type StoreFault =
  | { kind: 's3-errors' | 's3-forbidden' | 's3-truncated'; share: number }
  | { kind: 's3-slow'; delayMs: number }
  | { kind: 's3-blackhole' };

const REFUSALS = {
  500: ['InternalError', 'We encountered an internal error.'],
  503: ['SlowDown', 'Please reduce your request rate.'],
  403: ['AccessDenied', 'Access Denied.'],
} as const;

/** A proxy on loopback before an S3 server: it hands on what it gets, and misbehaves while it is told to. */
export class FaultProxy {
  readonly #server: Server;
  readonly #random: () => number;
  /** Requests that wait forever until the fault is over. */
  readonly #swallowed = new Set<IncomingMessage>();
  #fault: StoreFault | null = null;
  #hit = 0;

  private constructor(server: Server, random: () => number) {
    this.#server = server;
    this.#random = random;
  }

  /** `port` is asked for each request: a stack that starts again may listen elsewhere. */
  static async start(port: () => number | null, random: () => number): Promise<FaultProxy> {
    const server = createServer();
    const proxy = new FaultProxy(server, random);
    server.on('request', (incoming, answer) => void proxy.#serve(incoming, answer, port()));
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Misbehave for a while; how many requests it hit. A fault that comes meanwhile takes the place of this one. */
  async misbehave(fault: StoreFault, milliseconds: number, signal: AbortSignal): Promise<number> {
    this.#fault = fault;
    this.#hit = 0;
    await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
    const hit = this.#hit;
    if (this.#fault === fault) this.behave();
    return hit;
  }

  /** Hand on everything again; what was swallowed is cut off. */
  behave(): void {
    this.#fault = null;
    for (const incoming of this.#swallowed) incoming.destroy();
    this.#swallowed.clear();
  }

  async stop(): Promise<void> {
    this.behave();
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  async #serve(incoming: IncomingMessage, answer: ServerResponse, port: number | null): Promise<void> {
    incoming.on('error', () => answer.destroy());
    answer.on('error', () => incoming.destroy());
    const fault = this.#fault;
    const isHit = fault !== null && (!('share' in fault) || this.#random() < fault.share);
    if (isHit) this.#hit += 1;
    if (!isHit || fault === null) return forward(incoming, answer, port, false);
    if (fault.kind === 's3-blackhole') {
      this.#swallowed.add(incoming);
      return;
    }
    if (fault.kind === 's3-slow') await sleep(fault.delayMs * (0.5 + this.#random()));
    if (fault.kind === 's3-forbidden') return refuse(incoming, answer, 403);
    if (fault.kind === 's3-errors') return refuse(incoming, answer, this.#random() < 0.5 ? 500 : 503);
    forward(incoming, answer, port, fault.kind === 's3-truncated');
  }
}

function refuse(incoming: IncomingMessage, answer: ServerResponse, status: keyof typeof REFUSALS): void {
  const [code, message] = REFUSALS[status];
  // What comes is read to its end: a client that still writes would take the closed connection for the answer.
  incoming.resume();
  answer.writeHead(status, { 'content-type': 'application/xml' });
  answer.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`);
}

/** Truncated: half of a body arrives, then the connection ends; an answer without a body is lost on its way. */
function forward(incoming: IncomingMessage, answer: ServerResponse, port: number | null, truncated: boolean): void {
  if (port === null) {
    answer.destroy();
    return;
  }
  const { method, url, headers } = incoming;
  const { expect: _, ...kept } = headers;
  const outgoing = request({ host: '127.0.0.1', port, method, path: url, headers: kept, agent: false }, (response) => {
    const length = Number(response.headers['content-length'] ?? 0);
    if (truncated && (method === 'HEAD' || length === 0)) {
      response.resume();
      answer.destroy();
      return;
    }
    answer.writeHead(response.statusCode ?? 502, response.headers);
    response.on('error', () => answer.destroy());
    if (truncated) cutOff(response, answer, Math.floor(length / 2));
    else response.pipe(answer);
  });
  outgoing.on('error', () => answer.destroy());
  answer.on('close', () => outgoing.destroy());
  incoming.pipe(outgoing);
}

function cutOff(response: IncomingMessage, answer: ServerResponse, after: number): void {
  let sent = 0;
  response.on('data', (chunk: Buffer) => {
    const part = chunk.subarray(0, Math.max(0, after - sent));
    sent += part.length;
    if (sent < after) answer.write(part);
    else answer.write(part, () => answer.destroy());
    if (sent >= after) response.destroy();
  });
}
