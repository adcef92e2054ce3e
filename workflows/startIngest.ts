import { setCurrentDetails } from '@temporalio/workflow';
import { startIngestSchema } from '../domain/ingest/requests.js';
import { parseRequest } from '../domain/settings/parse.js';
import { bookkeeping } from './activities.js';
import { orFail, plainly } from './failures.js';

/**
 * The trigger of ingests: what the UI's start form, every Schedule and the command line start, under any id. Starts the
 * ingest of a pool or wakes the one that runs, and ends within seconds.
 */
export async function startIngest(input: unknown = {}) {
  const request = orFail(() => parseRequest(startIngestSchema, input, '`startIngest`'));
  const started = await plainly(bookkeeping.startIngests({ request }));
  setCurrentDetails(
    started.ingests.length === 0
      ? 'No inbox has anything in it: drops lie under `inbox/POOL/DROP/`.'
      : started.ingests.map(({ pool, path }) => `[Ingest of pool ${pool}](${path})`).join('\n\n'),
  );
  return started;
}
