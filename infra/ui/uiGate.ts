import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Address } from '../services/ports.js';
import { refusal } from './browserRequest.js';

/**
 * Headers that concern one connection, and `Authorization`, with which the UI skips its check against forged writes.
 */
const NOT_PASSED = [
  'authorization',
  'connection',
  'expect',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
] as const;

/**
 * The UI draws what a workflow says of itself from an address that has the whole text: about 16 KB for a loop after 20
 * iterations, which is all that Node takes by default.
 */
const MAX_HEADER_BYTES = 2 ** 18;

/**
 * A server before Temporal's Web UI that passes on only requests of the user's own pages and of programs on this
 * machine.
 */
export function uiGate(ui: Address): Server {
  return createServer({ maxHeaderSize: MAX_HEADER_BYTES }, (asked, answer) => {
    const reason = asked.url?.startsWith('/') === true ? refusal(asked.method ?? '', asked.headers) : 'not a path';
    if (reason === null) pass(ui, asked, answer);
    else say(answer, 403, `Refused: ${reason}.`);
  });
}

function pass(ui: Address, asked: IncomingMessage, answer: ServerResponse): void {
  const { method, url: path } = asked;
  const inner = request({ ...ui, method, path, headers: passedHeaders(asked.headers), agent: false });
  inner.once('response', (found) => {
    answer.writeHead(found.statusCode ?? 502, passedHeaders(found.headers));
    found.pipe(answer);
    found.once('error', () => answer.destroy());
  });
  inner.once('error', () => {
    if (answer.headersSent) answer.destroy();
    else say(answer, 502, "Temporal's Web UI does not answer yet. `partloop status` shows whether it runs.");
  });
  answer.once('close', () => inner.destroy());
  asked.once('error', () => inner.destroy());
  asked.pipe(inner);
}

function passedHeaders(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const passed = { ...headers };
  for (const name of NOT_PASSED) delete passed[name];
  return passed;
}

function say(answer: ServerResponse, status: number, text: string): void {
  answer.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' });
  answer.end(`${text}\n`);
}
