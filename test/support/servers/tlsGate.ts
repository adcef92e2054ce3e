import { once } from 'node:events';
import {
  type ClientHttp2Session,
  connect,
  constants,
  createSecureServer,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Identity } from './authority.js';

/** What one call through the gate showed. */
export interface Shown {
  path: string;
  /** Common name of the client's certificate; null if it showed none. */
  client: string | null;
  authorization: string | null;
}

export interface TlsGate {
  port: number;
  /** Every call so far. */
  calls: Shown[];
  close(): void;
}

/**
 * TLS before a gRPC server that speaks none, at 127.0.0.1.
 *
 * @param authority signs the clients' certificates; with `mutual` a client without one is turned away
 */
export async function tlsGate(
  target: string,
  identity: Identity,
  { authority, mutual }: { authority: string; mutual: boolean },
): Promise<TlsGate> {
  const calls: Shown[] = [];
  const inner: ClientHttp2Session = connect(`http://${target}`);
  inner.on('error', () => undefined);
  const server = createSecureServer({
    ...{ cert: identity.certificate, key: identity.key, ca: authority },
    ...{ requestCert: true, rejectUnauthorized: mutual },
  });
  const sessions = new Set<{ destroy(): void }>();
  server.on('session', (session) => sessions.add(session));
  server.on('stream', (stream, headers) => {
    calls.push({
      path: headers[':path'] ?? '',
      client: clientOf(stream.session?.socket),
      authorization: headers.authorization ?? null,
    });
    pass(stream, headers, inner);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the gate has no port');
  return {
    port: address.port,
    calls,
    close() {
      for (const session of sessions) session.destroy();
      server.close();
      inner.destroy();
    },
  };
}

/** A session hands its socket out behind a proxy that is no `TLSSocket`. */
function clientOf(socket: object | undefined): string | null {
  if (socket === undefined) return null;
  const shown = Reflect.get(socket, 'getPeerCertificate');
  if (typeof shown !== 'function') return null;
  const certificate: unknown = Reflect.apply(shown, socket, []);
  if (typeof certificate !== 'object' || certificate === null || !('subject' in certificate)) return null;
  const { subject } = certificate;
  return typeof subject === 'object' && subject !== null && 'CN' in subject ? String(subject.CN) : null;
}

function pass(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, inner: ClientHttp2Session): void {
  const onward = inner.request({ ...headers, ':scheme': 'http' }, { endStream: false });
  let trailers: IncomingHttpHeaders = {};
  onward.on('response', (found, flags) => {
    const isAll = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    if (stream.destroyed) return;
    stream.respond(found, isAll ? { endStream: true } : { waitForTrailers: true });
    if (!isAll) onward.pipe(stream);
  });
  onward.on('trailers', (found) => {
    trailers = found;
  });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  stream.on('error', () => undefined);
  onward.on('error', () => stream.destroy());
  stream.once('close', () => onward.destroy());
  stream.pipe(onward);
}
