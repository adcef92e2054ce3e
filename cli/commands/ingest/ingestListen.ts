import { once } from 'node:events';
import type { Command } from 'commander';
import { wakeIngest } from '../../../activities/ingest.js';
import { PartloopError } from '../../../domain/base/errors.js';
import { placeOfStore } from '../../../domain/ingest/objectEvents.js';
import { readVariables } from '../../../domain/settings/variables.js';
import { openPool } from '../../../storage/pool/pool.js';
import { storeOf, withClient } from '../../environment.js';
import { assertGuarded, eventServer } from '../../ingest/eventServer.js';
import { wholeNumberBetween } from '../../options.js';
import { printJson, reportError, say } from '../../terminal/output.js';

interface Options {
  port: number;
  host: string;
  json?: true;
}

/** `partloop ingest listen`. */
export function registerListen(ingest: Command): void {
  ingest
    .command('listen')
    .description('Take s3:ObjectCreated events by HTTP and read the inbox of the pool that they name')
    .option('--port <port>', 'Port to listen on', wholeNumberBetween(1, 65_535), 8_790)
    .option('--host <address>', 'Address to listen on; any but a local one needs PARTLOOP_INGEST_TOKEN', '127.0.0.1')
    .option('--json', 'Print one JSON object on stdout, as soon as it listens')
    .action(listen);
}

async function listen({ port, host, json }: Options): Promise<void> {
  const token = readVariables(process.env).PARTLOOP_INGEST_TOKEN ?? null;
  assertGuarded(host, token);
  await withClient(async (client, env) => {
    const store = storeOf(env);
    const server = eventServer({
      place: placeOfStore(store.uri),
      token,
      wake: async (pool) => {
        // Whoever sends events must not make workflows for pools that there are not.
        const isPool = await openPool(store, pool).then(
          () => true,
          (error: unknown) => {
            if (error instanceof PartloopError && error.code === 'not-found') return false;
            throw error;
          },
        );
        if (isPool) await wakeIngest(client, pool);
        say(isPool ? `pool ${pool}: a drop arrived` : `there is no pool ${pool}: its drop stays in the inbox`);
      },
      onError: (error) => void reportError(error),
    });
    server.listen(port, host);
    await once(server, 'listening').catch((cause: unknown) => {
      throw new PartloopError('setup-incomplete', `cannot listen on ${host}:${port}`, {
        cause,
        hint: 'Give a free one with --port.',
      });
    });
    if (json) printJson({ address: `http://${host}:${port}/`, store: store.uri });
    say(`listening on http://${host}:${port}/ for events of ${store.uri}/inbox/; Ctrl-C ends it`);
    const ended = new AbortController();
    const end = (): void => ended.abort();
    process.on('SIGINT', end);
    process.on('SIGTERM', end);
    await once(ended.signal, 'abort');
    server.close();
    server.closeAllConnections();
  });
}
