import type { Command } from 'commander';
import { nameSchema } from '../../domain/ids.js';
import { parseRequest } from '../../domain/messages.js';
import { precisionByKind } from '../../domain/review.js';
import { importVerdicts } from '../../formats/verdicts.js';
import { readVerdicts } from '../../storage/reviews.js';
import { findScan } from '../../storage/scans.js';
import { openEnvironmentStore } from '../environment.js';
import { printJson, printTable, say } from '../output.js';

const REFUSED_SHOWN = 20;

/** `partloop review import|show`. */
export function register(program: Command): void {
  const review = program
    .command('review')
    .description("Reviewers' answers to findings, and what they say of the rules");

  review
    .command('import')
    .description('Take over answers to the findings of a scan; accepted proposals become new revisions of their labels')
    .argument('<file>', 'CSV: the findings.csv of the scan with a column `verdict` (wrong, accept, right, unsure)')
    .requiredOption(
      '--scan <scan>',
      'The scan that was exported: a scan, a loop (its last scan), or <loop>:<iteration>',
    )
    .option('--reviewer <name>', 'Who answered')
    .option('--json', 'Print one JSON object on stdout')
    .action(async (file: string, { scan, reviewer, json }: { scan: string; reviewer?: string; json?: true }) => {
      const { store } = await openEnvironmentStore();
      const report = await importVerdicts(store, await findScan(store, scan), file, {
        reviewer: reviewer ?? null,
        now: new Date(),
      });
      if (json) return printJson(report);
      say(
        `${report.verdicts} answers taken over, ${report.corrected} labels corrected (pool version ${report.poolVersion}), ${report.unanswered} findings without an answer`,
      );
      for (const { row, reason } of report.refused.slice(0, REFUSED_SHOWN)) say(`  row ${row}: ${reason}`);
      if (report.refused.length > REFUSED_SHOWN) say(`  … and ${report.refused.length - REFUSED_SHOWN} more rows`);
    });

  review
    .command('show')
    .description('How often each rule was right, by the last answers')
    .argument('<pool>')
    .option('--json', 'Print one JSON object on stdout')
    .action(async (name: string, { json }: { json?: true }) => {
      const { store } = await openEnvironmentStore();
      const pool = parseRequest(nameSchema, name, 'the pool name');
      const { verdicts } = await readVerdicts(store, pool);
      const kinds = precisionByKind(verdicts);
      if (json) return printJson({ pool, verdicts: verdicts.length, kinds });
      if (kinds.length === 0) return say(`No finding of pool ${pool} was answered yet.`);
      printTable(
        kinds.map((row) => ({
          ...row,
          precision: row.precision === null ? null : `${(row.precision * 100).toFixed(0)} %`,
        })),
      );
    });
}
