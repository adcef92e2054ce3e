import type { Command } from 'commander';
import { wakeIngest } from '../../../activities/ingest.js';
import { counted } from '../../../domain/base/counted.js';
import { type IngestProgress, ingestProgressSchema } from '../../../domain/ingest/requests.js';
import { poolsWithInbox } from '../../../pool/ingest/inbox.js';
import { asPartloopError } from '../../../steering/temporalErrors.js';
import { openPool } from '../../../storage/pool/pool.js';
import { storeOf, uiLink, withClient } from '../../environment.js';
import { name as poolName } from '../../options.js';
import { printJson, say } from '../../terminal/output.js';
import { withProgress } from '../../terminal/progress.js';

/** `partloop ingest run`. */
export function registerRun(ingest: Command): void {
  ingest
    .command('run')
    .description('Take in the drops that lie in the inbox of a pool; of every pool if none is named')
    .argument('[pool]', 'Name of the pool', poolName)
    .option('--wait', 'Wait until no drop is ready')
    .option('--json', 'Print one JSON object on stdout')
    .action(run);
}

async function run(pool: string | undefined, { wait, json }: { wait?: true; json?: true }): Promise<void> {
  await withClient(async (client, env) => {
    const store = storeOf(env);
    if (pool !== undefined) await openPool(store, pool);
    const pools = pool === undefined ? await poolsWithInbox(store) : [pool];
    const ingests: ({ pool: string; workflowId: string; link: string | null } & Partial<IngestProgress>)[] = [];
    for (const name of pools) {
      const { workflowId, path } = await wakeIngest(client, name);
      const link = uiLink(env, path);
      if (!json) say(`pool ${name}: the ingest runs${link === null ? '' : `, ${link}`}`);
      const result = wait ? await ended(client, name, workflowId) : null;
      ingests.push({ pool: name, workflowId, link, ...result });
      if (result !== null && !json) tell(name, result);
    }
    if (json) printJson({ ingests });
    else if (pools.length === 0) say('No inbox has anything in it. `partloop ingest send POOL FOLDER` sends a drop.');
  });
}

async function ended(
  client: Parameters<Parameters<typeof withClient>[0]>[0],
  pool: string,
  workflowId: string,
): Promise<IngestProgress> {
  const result = await withProgress(`ingest of pool ${pool}`, () =>
    asPartloopError(() => client.workflow.getHandle(workflowId).result()),
  );
  return ingestProgressSchema.parse(result);
}

function tell(pool: string, { totals }: IngestProgress): void {
  const { drops, added, changed, known, refused, removed } = totals;
  say(
    `pool ${pool}: ${counted(drops, 'drop', 'drops')} settled, ${counted(added, 'image', 'images')} added, ${changed} changed, ${known} known, ` +
      `${refused} refused, ${removed} removed`,
    `  \`partloop ingest receipts ${pool}\` shows each drop`,
  );
}
