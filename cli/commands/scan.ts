import type { Command } from 'commander';
import { countsOf, countsText, notJudged } from '../../domain/scan/counts.js';
import { FINDING_KINDS, findingRowSchema, scanImageRowSchema } from '../../domain/tables.js';
import { labelNames } from '../../domain/taxonomy.js';
import { openPool } from '../../storage/pool.js';
import { findScan, listScans, readMissing, readScanRecord } from '../../storage/scans.js';
import { readTable } from '../../storage/table.js';
import { openEnvironmentStore } from '../environment.js';
import { wholeNumberBetween } from '../options.js';
import { printJson, printTable, say } from '../output.js';
import { wholeNumber } from './iteration.js';
import { registerExport } from './scanExport.js';
import { registerRun } from './scanRun.js';

const TOP_FINDINGS = 20;
const LEFT_OUT_SHOWN = 10;

/** `partloop scan run|list|show|export`. */
export function register(program: Command): void {
  const scan = program.command('scan').description('Find mislabelled images, and see what was found');
  registerRun(scan);
  registerExport(scan);
  scan
    .command('show')
    .description('Images set aside and the most probable label errors of an iteration')
    .argument('<scan>', 'A scan, a loop (its last scan), or <loop>:<iteration>')
    .argument('[n]', 'Iteration of a loop; the last one where left out', wholeNumber)
    .option('--top <n>', 'Findings shown', wholeNumberBetween(1, 1_000_000), TOP_FINDINGS)
    .option('--json', 'Print one JSON object on stdout')
    .action(async (name: string, n: number | undefined, { top, json }: { top: number; json?: true }) => {
      const { store } = await openEnvironmentStore();
      const found = await findScan(store, n === undefined ? name : `${name}:${n}`);
      const images = await readTable(store, found.images, scanImageRowSchema);
      const findings = (await readTable(store, found.findings, findingRowSchema)).sort(
        (a, b) => b.pWrong - a.pWrong || (a.findingId < b.findingId ? -1 : 1),
      );
      const names = labelNames((await openPool(store, found.pool)).taxonomy);
      const nameOf = (label: number): string => names[label] ?? String(label);
      const fates = images.map(notJudged);
      const scanned = fates.filter((fate) => fate === null).length;
      const missing = await readMissing(store, found);
      const quarantined = images.filter((image) => image.quarantined).length;
      const byKind = FINDING_KINDS.map((kind) => ({
        kind,
        findings: findings.filter((finding) => finding.kind === kind).length,
      })).filter((row) => row.findings > 0);
      if (json)
        return printJson({
          scan: found.id,
          pool: found.pool,
          scanned,
          counts: found.counts,
          missing,
          quarantined,
          byKind,
          findings: findings.slice(0, top).map((finding) => ({
            ...finding,
            class: nameOf(finding.classId),
            suggestedClass: finding.suggestedClassId === null ? null : nameOf(finding.suggestedClassId),
          })),
          images,
        });
      const text = found.counts === null ? `scanned ${scanned} images` : countsText(found.counts);
      say(`${found.id}: ${text}`);
      say(`${quarantined} set aside, ${findings.length} findings`);
      const unread = images.flatMap(({ fileName, error }, at) => (fates[at] === null ? [] : [`${fileName}: ${error}`]));
      const named = [...missing.map(({ fileName, kind, reason }) => `${fileName} is ${kind}: ${reason}`), ...unread];
      for (const line of named.slice(0, LEFT_OUT_SHOWN)) say(`  left out ${line}`);
      if (named.length > LEFT_OUT_SHOWN)
        say(`  … and ${named.length - LEFT_OUT_SHOWN} more; \`partloop scan export\` lists all`);
      printTable(byKind);
      printTable(
        findings.slice(0, top).map(({ fileName, kind, classId, suggestedClassId, areaPx, pWrong }) => ({
          image: fileName,
          finding: kind,
          class: nameOf(classId),
          suggested: suggestedClassId === null ? null : nameOf(suggestedClassId),
          pixels: areaPx,
          'p wrong': pWrong.toFixed(3),
        })),
      );
    });

  scan
    .command('list')
    .description('Finished scans that belong to no loop')
    .option('--json', 'Print one JSON object on stdout')
    .action(async ({ json }: { json?: true }) => {
      const { store } = await openEnvironmentStore();
      const records = await Promise.all((await listScans(store)).map((name) => readScanRecord(store, name)));
      const rows = records.flatMap((record) => {
        if (record === null) return [];
        const { scanned, quarantined, findings } = record.result.facts;
        const counts = countsOf(record.result.facts);
        const sides = { split: counts?.split ?? 'train', scanned, images: counts?.poolImages };
        return [
          { scan: record.scan, pool: record.pool, ...sides, quarantined, findings, finishedAt: record.finishedAt },
        ];
      });
      if (json) printJson({ scans: rows });
      else if (rows.length === 0) say('No scan was run by itself. Start one with `partloop scan run`.');
      else
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
    });
}
