import type { Command } from 'commander';
import { counted } from '../../../domain/base/counted.js';
import { poolIngestWorkflowId } from '../../../domain/base/ids.js';
import { type InboxDrop, lookIntoInbox, poolsWithInbox } from '../../../pool/ingest/inbox.js';
import { isOpen } from '../../../steps/workflows/openWorkflows.js';
import { keys } from '../../../storage/keys.js';
import { openPool } from '../../../storage/pool/pool.js';
import { storeOf, withClient } from '../../environment.js';
import { name as poolName } from '../../options.js';
import { printJson, printTable, say } from '../../terminal/output.js';

/** `partloop ingest status`. */
export function registerStatus(ingest: Command): void {
  ingest
    .command('status')
    .description('Show what lies in the inbox of a pool, and whether it is being read; of every pool if none is named')
    .argument('[pool]', 'Name of the pool', poolName)
    .option('--json', 'Print one JSON object on stdout')
    .action(status);
}

async function status(pool: string | undefined, { json }: { json?: true }): Promise<void> {
  await withClient(async (client, env) => {
    const store = storeOf(env);
    if (pool !== undefined) await openPool(store, pool);
    const pools = pool === undefined ? await poolsWithInbox(store) : [pool];
    const found = await Promise.all(
      pools.map(async (name) => ({
        pool: name,
        inbox: `${store.uri}/${keys.inbox(name)}`,
        running: await isOpen(client, poolIngestWorkflowId(name)),
        ...(await lookIntoInbox(store, name)),
      })),
    );
    if (json) return printJson({ inboxes: found });
    if (found.length === 0) return say('No inbox has anything in it.');
    for (const { pool: name, inbox, running, drops, misnamed } of found) {
      say(
        `pool ${name}: ${counted(drops.length, 'drop', 'drops')} in ${inbox}, ${running ? 'being read' : 'not being read'}`,
      );
      printTable(drops.map((drop) => ({ drop: drop.drop, state: stateOf(drop) })));
      if (misnamed.length > 0)
        say(`  nobody reads ${misnamed.join(', ')}: names of drops have A–Z, a–z, 0–9, ., _ and - alone`);
    }
  });
}

function stateOf({ isWhole, state }: InboxDrop): string {
  if (!isWhole) return 'on its way: it has no _COMPLETE yet';
  if (state === null || state.phase === 'done') return 'ready';
  if (state.phase === 'clearing') return 'taken, being cleared away';
  const { incomplete } = state;
  if (incomplete === null) return 'being read';
  const named = incomplete.examples.length === 0 ? '' : `, such as ${incomplete.examples.slice(0, 3).join(', ')}`;
  return `waits for ${counted(incomplete.missing, 'file', 'files')}${named}`;
}
