import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { serveBoard } from '../../board/server/serve.js';
import { openStore } from '../../storage/objects/s3.js';
import { ROOT } from '../support/binaries.js';

/** A board in a process of its own, over the store that its one argument names; it prints its address. */
const { uri, host, ...options } = z
  .object({
    ...{ uri: z.string(), region: z.string(), endpoint: z.string(), host: z.string() },
    credentials: z.object({ accessKeyId: z.string(), secretAccessKey: z.string() }),
  })
  .parse(JSON.parse(process.argv[2] ?? ''));

const board = await serveBoard({
  temporal: null,
  ...{ store: openStore({ ...options, uri }), host, port: 0, dist: join(ROOT, 'dist') },
  cacheFolder: await mkdtemp(join(tmpdir(), 'partloop-board-test-')),
  onError: (error) => process.stderr.write(`${error}\n`),
  onNote: () => undefined,
});
process.stdout.write(`${board.urlOf('/')}\n`);
process.on('SIGTERM', () => void board.close().then(() => process.exit(0)));
