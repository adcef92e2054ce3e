import type { Command } from 'commander';
import { PartloopError } from '../../domain/errors.js';
import { FINDING_KINDS, findingRowSchema, scanImageRowSchema } from '../../domain/tables.js';
import { readTable } from '../../storage/table.js';
import { openEnvironmentStore } from '../environment.js';
import { printJson, printTable, say } from '../output.js';
import { findIteration, wholeNumber } from './iteration.js';
import { registerExport } from './scanExport.js';

const TOP_FINDINGS = 20;

/** `partloop scan show|export`. */
export function register(program: Command): void {
  const scan = program.command('scan').description('What algo1 found');
  registerExport(scan);
  scan
    .command('show')
    .description('Images set aside and the most probable label errors of an iteration')
    .argument('<loop>')
    .argument('[n]', 'Iteration; the last one where left out', wholeNumber)
    .option('--top <n>', 'Findings shown', wholeNumber, TOP_FINDINGS)
    .option('--json', 'Print one JSON object on stdout')
    .action(async (loop: string, n: number | undefined, { top, json }: { top: number; json?: true }) => {
      const { store } = await openEnvironmentStore();
      const { iteration, current } = await findIteration(store, loop, n);
      const { images: imagesKey, findings: findingsKey } = current.results.scan?.outputs ?? {};
      if (imagesKey === undefined || findingsKey === undefined) {
        throw new PartloopError('not-found', `iteration ${iteration} of loop \`${loop}\` has no scan yet`, {
          hint: '`partloop loop status` shows what runs.',
        });
      }
      const images = await readTable(store, imagesKey, scanImageRowSchema);
      const findings = (await readTable(store, findingsKey, findingRowSchema)).sort(
        (a, b) => b.pWrong - a.pWrong || (a.findingId < b.findingId ? -1 : 1),
      );
      const quarantined = images.filter((image) => image.quarantined).length;
      const byKind = FINDING_KINDS.map((kind) => ({
        kind,
        findings: findings.filter((finding) => finding.kind === kind).length,
      })).filter((row) => row.findings > 0);
      if (json)
        return printJson({
          loop,
          iteration,
          scanned: images.length,
          quarantined,
          byKind,
          findings: findings.slice(0, top),
          images,
        });
      say(
        `loop ${loop}, iteration ${iteration}: ${images.length} images scanned, ${quarantined} set aside, ${findings.length} findings`,
      );
      printTable(byKind);
      printTable(
        findings.slice(0, top).map(({ fileName, kind, classId, suggestedClassId, areaPx, pWrong }) => ({
          fileName,
          kind,
          classId,
          suggestedClassId,
          areaPx,
          pWrong: pWrong.toFixed(3),
        })),
      );
    });
}
