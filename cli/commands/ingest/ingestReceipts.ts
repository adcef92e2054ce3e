import { type Command, InvalidArgumentError } from 'commander';
import { counted } from '../../../domain/base/counted.js';
import { PartloopError } from '../../../domain/base/errors.js';
import { dropNameSchema } from '../../../domain/ingest/drop.js';
import type { Receipt } from '../../../domain/ingest/receipt.js';
import { listReceipts } from '../../../pool/ingest/inbox.js';
import { openPool } from '../../../storage/pool/pool.js';
import { openEnvironmentStore } from '../../environment.js';
import { name as poolName, wholeNumberBetween } from '../../options.js';
import { printJson, printTable, say } from '../../terminal/output.js';

interface Options {
  last: number;
  json?: true;
}

/** `partloop ingest receipts`. */
export function registerReceipts(ingest: Command): void {
  ingest
    .command('receipts')
    .description('Show what became of the drops of a pool, the newest first')
    .argument('<pool>', 'Name of the pool', poolName)
    .argument('[drop]', 'This drop alone, with the reasons of what was refused', dropName)
    .option('--last <n>', 'So many', wholeNumberBetween(1, 100_000), 20)
    .option('--json', 'Print one JSON object on stdout')
    .action(receipts);
}

function dropName(text: string): string {
  const parsed = dropNameSchema.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError(parsed.error.issues.map(({ message }) => message).join('; '));
}

async function receipts(pool: string, drop: string | undefined, { last, json }: Options): Promise<void> {
  const { store } = await openEnvironmentStore();
  await openPool(store, pool);
  const found = await listReceipts(store, pool, { drop, limit: last });
  if (drop !== undefined && found.length === 0)
    throw new PartloopError('not-found', `pool \`${pool}\` has no receipt of a drop \`${drop}\``, {
      hint: `\`partloop ingest status ${pool}\` shows the drops that are not settled yet.`,
    });
  if (json) return printJson({ pool, receipts: found });
  if (found.length === 0) return say(`pool ${pool} has no receipts yet`);
  printTable(found.map(row));
  if (drop !== undefined) for (const receipt of found) tell(store.uri, receipt);
}

function row(receipt: Receipt): Record<string, string | number | null> {
  const { drop, settledAt, outcome, entries, added, replaced, updated, restored, known, refused, removals } = receipt;
  return {
    ...{ drop, settled: `${settledAt.slice(0, 16).replace('T', ' ')} UTC`, outcome, entries, added },
    ...{ changed: replaced + updated + restored, known, refused, removed: removals?.removed ?? 0 },
  };
}

function tell(store: string, { arrival, reason, sameAs, reasons, notices, strays, removals, rejected }: Receipt): void {
  say(`arrival ${arrival}:`);
  if (reason !== null) say(`  nothing was taken: ${reason}`);
  if (sameAs !== null) say(`  the same files as arrival ${sameAs}`);
  for (const { reason: why, count, examples } of reasons) say(`  ${count} × ${why}: ${examples.join(', ')}`);
  for (const { notice, count, examples } of notices) say(`  note: ${count} × ${notice}: ${examples.join(', ')}`);
  if (strays > 0) say(`  ${counted(strays, 'file', 'files')} that no label names`);
  if (removals !== null) {
    const images = counted(removals.removed, 'image', 'images');
    say(`  removal request: ${removals.outcome}, ${images}; ${removals.reason}`);
    if (removals.unknown.length > 0) say(`  unknown to the pool: ${removals.unknown.slice(0, 5).join(', ')}`);
    if (removals.next !== null) say(`  next: \`${removals.next}\``);
  }
  if (rejected !== null) say(`  not taken: ${store}/${rejected}`);
}
