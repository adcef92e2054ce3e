import type { Command } from 'commander';
import { oneLine } from '../../../domain/base/oneLine.js';
import { countsOf } from '../../../domain/scan/counts.js';
import { listScans, readScanRecord } from '../../../storage/scans.js';
import { storeOf, withClient } from '../../environment.js';
import { registerRemoval } from '../../pool/removal.js';
import { describeRunningScans, printRunningScans, unfinishedScans } from '../../scan/scanWorkflows.js';
import { printJson, printTable, say } from '../../terminal/output.js';
import { registerExport } from './scanExport.js';
import { registerRun } from './scanRun.js';
import { registerShow } from './scanShow.js';
import { registerStop } from './scanStop.js';

/** `partloop scan run|list|show|export|stop|resume|delete`. */
export function register(program: Command): void {
  const scan = program.command('scan').description('Find mislabelled images, and show the findings');
  registerRun(scan);
  registerList(scan);
  registerShow(scan);
  registerExport(scan);
  registerStop(scan);
  registerRemoval(scan, 'scan');
}

function registerList(scan: Command): void {
  scan
    .command('list')
    .description(
      'List scans outside loops: running ones with their progress, stopped or failed ones, and finished ones',
    )
    .option('--json', 'Print one JSON object on stdout')
    .action(({ json }: { json?: true }) =>
      withClient(async (client, env) => {
        const store = storeOf(env);
        const records = await Promise.all((await listScans(store)).map((name) => readScanRecord(store, name)));
        const running = await describeRunningScans(client);
        const rows = records.flatMap((record) => {
          if (record === null) return [];
          const { scanned, quarantined, findings } = record.result.facts;
          const counts = countsOf(record.result.facts);
          const sides = { split: counts?.split ?? 'train', scanned, images: counts?.poolImages };
          return [
            { scan: record.scan, pool: record.pool, ...sides, quarantined, findings, finishedAt: record.finishedAt },
          ];
        });
        const unfinished = await unfinishedScans(client, { running, done: rows.map(({ scan }) => scan) });
        if (json) return printJson({ running, unfinished, scans: rows });
        if (rows.length + running.length + unfinished.length === 0)
          return say('There is no scan outside loops. Start one with `partloop scan run`.');
        printRunningScans(running);
        for (const { scan, pool, state, error } of unfinished) {
          const ended = state === 'stopped' ? 'was stopped' : 'failed';
          const why = error === null ? '' : `: ${oneLine(error)}`;
          say(
            `scan ${scan}${pool === null ? '' : ` of pool ${pool}`} ${ended}${why}`,
            `  \`partloop scan resume ${scan}\` goes on with it`,
          );
        }
        printTable(
          rows.map((row) =>
            Object.fromEntries(
              Object.entries(row).map(([name, value]) => [
                name,
                typeof value === 'number' ? value : String(value ?? '–'),
              ]),
            ),
          ),
        );
      }),
    );
}
