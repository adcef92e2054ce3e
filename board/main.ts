import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { PartloopError } from '../domain/base/errors.js';
import { readVariables } from '../domain/settings/variables.js';
import { openStore } from '../storage/objects/s3.js';
import { storeAddress, storeOptions } from '../storage/objects/storeAddress.js';
import { serveBoard } from './server/serve.js';

/** `node dist/board/main.js --port PORT`: the board of a stack; everything else it needs is in its environment. */
const { values } = parseArgs({ options: { port: { type: 'string' } } });
const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');
const address = await storeAddress(process.env);
if (address === null) throw new PartloopError('setup-incomplete', 'PARTLOOP_STORE is not set');

const variables = readVariables(process.env);
const board = await serveBoard({
  temporal: {
    // Few boards are looked at: until then none loads what talks to Temporal.
    connect: async () => (await import('../workers/connections.js')).connectClient(),
    uiUrl: variables.TEMPORAL_UI_URL?.replace(/\/$/, '') ?? null,
  },
  ...{ store: openStore(storeOptions(address)), host: '127.0.0.1', port: Number(values.port ?? 0) },
  ...{ dist: join(root, 'dist'), cacheFolder: join(variables.PARTLOOP_HOME ?? root, 'cache') },
  onError: (error) => process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`),
  onNote: (text) => process.stderr.write(`${text}\n`),
});
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, () => {
    void board.close().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
        process.exit(1);
      },
    );
  });
