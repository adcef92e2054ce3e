import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type ServerType, serve } from '@hono/node-server';
import { PartloopError } from '../../domain/base/errors.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import type { Desks } from '../desks.js';
import { LeftOvers } from '../leftOver.js';
import type { TemporalAccess, TemporalLink } from '../loops/temporalLink.js';
import { Access } from './access.js';

const LOOK_FOR_DUE_MS = 30_000;
/** Scans that nobody has open are searched this often for answers that a killed board left. */
const LOOK_FOR_LEFT_MS = 5 * 60_000;
const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', '::1', 'localhost']);

export interface ServeOptions {
  store: ObjectStore;
  /** The service of the loops; null for a board that does not steer. */
  temporal: TemporalAccess | null;
  /** For copies of the pool's index. */
  cacheFolder: string;
  /** The folder `dist/` with the bundled script. */
  dist: string;
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** Faults whose cause no page tells. */
  onError(error: unknown): void;
  /** What the board did by itself. */
  onNote(text: string): void;
}

export interface ServedBoard {
  /** The address of a path; with a key for one entrance if the board listens beyond this machine. */
  urlOf(path: string): string;
  port: number;
  /** Hand in what was answered, and end. */
  close(): Promise<void>;
}

/**
 * Serve the board.
 *
 * @throws PartloopError `input-invalid` if the address cannot be listened on
 */
export async function serveBoard(options: ServeOptions): Promise<ServedBoard> {
  const { store, temporal, cacheFolder, dist, host, port, onError, onNote } = options;
  const isOpen = LOOPBACK.has(host);
  const access = new Access(isOpen);
  let opened: Promise<Opened> | null = null;
  // Every stack has a board, and few are looked at: until then it does not load what pictures and tables need.
  const app = (): Promise<Opened> => {
    opened ??= openApp({ store, temporal, cacheFolder, access, assets: join(dist, 'assets', 'board'), onError });
    return opened;
  };
  const server = await listening(host, port, async (request) => (await app()).fetch(request));
  const actual = (server.address() as AddressInfo).port;
  // Behind another address a proxy may give any name; the key guards that board.
  const own = isOpen ? [...LOOPBACK].map((name) => `${name === '::1' ? '[::1]' : name}:${actual}`) : [];
  access.answerTo(own);
  const timer = setInterval(() => {
    if (opened !== null) void opened.then(({ desks }) => desks.handInDue(new Date())).catch(onError);
  }, LOOK_FOR_DUE_MS);
  const leftOvers = new LeftOvers(store, async () => (await app()).desks, { onError, onNote });
  void leftOvers.handIn(new Date());
  const search = setInterval(() => void leftOvers.handIn(new Date()), LOOK_FOR_LEFT_MS);
  const shown = host.includes(':') ? `[${host}]` : host;
  const start = `http://${shown}:${actual}`;
  return {
    urlOf: (path) =>
      isOpen ? `${start}${path}` : `${start}/enter?${new URLSearchParams({ key: access.invite(), next: path })}`,
    port: actual,
    async close() {
      clearInterval(timer);
      clearInterval(search);
      await new Promise((resolve) => {
        server.close(resolve);
        if ('closeAllConnections' in server) server.closeAllConnections();
      });
      await leftOvers.close();
      if (opened === null) return;
      const { desks, link } = await opened;
      await desks.close();
      await link.close();
    },
  };
}

interface Opened {
  desks: Desks;
  link: TemporalLink;
  fetch(request: Request): Response | Promise<Response>;
}

async function openApp(options: {
  store: ObjectStore;
  temporal: TemporalAccess | null;
  cacheFolder: string;
  access: Access;
  assets: string;
  onError(error: unknown): void;
}): Promise<Opened> {
  const { cacheFolder, temporal, ...rest } = options;
  const [{ boardApp }, { Desks }, { AuditCounts }, { TemporalLink }, { WorstDesk }, { giveMemoryBack }] =
    await Promise.all([
      import('./app.js'),
      import('../desks.js'),
      import('../audit/openCounts.js'),
      import('../loops/temporalLink.js'),
      import('../loops/worstDesk.js'),
      import('../../storage/tables/database.js'),
    ]);
  await giveMemoryBack();
  const link = new TemporalLink(temporal);
  const desks = new Desks(options.store, cacheFolder, options.onError);
  const counts = new AuditCounts(options.store, cacheFolder);
  const worst = new WorstDesk(options.store, cacheFolder);
  const app = boardApp({ ...rest, desks, counts, temporal: link, worst });
  return { desks, link, fetch: (request) => app.fetch(request) };
}

function listening(host: string, port: number, fetch: (request: Request) => Promise<Response>): Promise<ServerType> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, hostname: host, port }, () => resolve(server));
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'EADDRINUSE' ? 'something else listens there' : cause.message;
      reject(
        new PartloopError('input-invalid', `the board cannot listen on ${host}:${port}: ${why}`, {
          hint: 'Give another port with --port, or 0 for a free one.',
          cause,
        }),
      );
    });
  });
}
