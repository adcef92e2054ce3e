import { type Command, Option } from 'commander';
import { type Estimate, estimateRecall } from '../../domain/auditAnswers.js';
import { latestVerdicts, precisionByKind, VERDICTS } from '../../domain/review.js';
import { importLabels, type LabelImportReport } from '../../pool/review/importLabels.js';
import { importVerdicts, type VerdictImportReport } from '../../pool/review/importVerdicts.js';
import { openPool } from '../../storage/pool.js';
import { readReviews } from '../../storage/reviews.js';
import { openEnvironmentStore } from '../environment.js';
import { printJson, printTable, say } from '../output.js';
import { withCounter } from '../progress.js';

const SHOWN = 20;

interface ImportOptions {
  pool?: string;
  scan?: string;
  manifest?: string;
  reviewer?: string;
  unchanged?: 'right';
  fillHoles?: true;
  json?: true;
}

/** `partloop review import|list`. */
export function register(program: Command): void {
  const review = program.command('review').description("Reviewers' answers to findings, and corrected labels");

  review
    .command('import')
    .description('Take over answers to findings, or the labels that an annotation tool made of an export')
    .argument(
      '<file>',
      'findings.csv with a column `verdict` (wrong, accept, right, unsure), a COCO or Label Studio .json file, or an unpacked folder of CVAT, YOLO or masks',
    )
    .option('--scan <scan>', 'CSV: the scan that was answered; all scans of the pool where left out')
    .option('--pool <name>', 'CSV: the pool, where there are several and no scan is named')
    .option('--manifest <file>', 'manifest.json of the export, where it is not beside the file')
    .option('--reviewer <name>', 'Who reviewed, where the file does not say')
    .addOption(
      new Option(
        '--unchanged <verdict>',
        'What an image that came back unchanged says of its findings and, if audited, of its label',
      ).choices(['right']),
    )
    .option('--fill-holes', 'Take holes that came back filled as corrections; else only where a finding asks for it')
    .option('--json', 'Print one JSON object on stdout')
    .action(async (path: string, options: ImportOptions) => {
      const { pool, scan, manifest, unchanged, fillHoles, json } = options;
      const { store } = await openEnvironmentStore();
      const common = {
        path,
        reviewer: options.reviewer ?? null,
        now: new Date(),
        ...(pool === undefined ? {} : { pool }),
      };
      if (path.toLowerCase().endsWith('.csv')) {
        const report = await importVerdicts(store, { ...common, ...(scan === undefined ? {} : { scan }) });
        return json ? printJson(report) : tellVerdicts(report);
      }
      const report = await withCounter('review', 'images', (onProgress) =>
        importLabels(store, {
          ...common,
          ...(manifest === undefined ? {} : { manifest }),
          unchanged: unchanged ?? null,
          fillHoles: fillHoles === true,
          onProgress,
        }),
      );
      return json ? printJson(report) : tellLabels(report);
    });

  review
    .command('list')
    .description('Answers to the findings of a pool, and how often each rule was right')
    .argument('<pool>')
    .option('--json', 'Print one JSON object on stdout')
    .action(async (name: string, { json }: { json?: true }) => {
      const { store } = await openEnvironmentStore();
      const pool = await openPool(store, name);
      const { verdicts, audits } = await readReviews(store, pool.name);
      const latest = [...latestVerdicts(verdicts).values()];
      const counts = Object.fromEntries(
        VERDICTS.map((word) => [word, latest.filter(({ verdict }) => verdict === word).length]),
      );
      const images = new Set(latest.map(({ imageId }) => imageId)).size;
      const corrected = new Set(latest.flatMap(({ correctedSha256 }) => correctedSha256 ?? [])).size;
      const kinds = precisionByKind(verdicts);
      const audit = estimateRecall(audits);
      if (json)
        return printJson({
          ...{ pool: name, verdicts: verdicts.length, findings: latest.length, images, corrected },
          ...{ counts, kinds, audit },
        });
      if (audit !== null) {
        const { answered, wrong, wrongShare, found, setAside } = audit;
        say(
          `audit samples: ${answered} images answered, ${wrong} wrong; of all labels ${interval(wrongShare)} are wrong`,
        );
        if (found !== null && setAside !== null)
          say(`of the wrong ones scans reported ${interval(found)} and set ${interval(setAside)} aside`);
      }
      if (latest.length === 0) return say(`No finding of pool ${name} was answered yet.`);
      const words = VERDICTS.map((word) => `${counts[word]} ${word}`).join(', ');
      say(
        `pool ${name}: ${latest.length} findings of ${images} images answered (${words}), ${corrected} labels corrected`,
      );
      printTable(
        kinds.map((row) => ({
          ...row,
          precision: row.precision === null ? null : `${(row.precision * 100).toFixed(0)} %`,
        })),
      );
    });
}

function interval({ value, low, high }: Estimate): string {
  const percent = (share: number): string => (share * 100).toFixed(0);
  return `${percent(value)} % (${percent(low)}–${percent(high)} %)`;
}

function tellVerdicts({
  pool,
  version,
  answered,
  unanswered,
  verdicts,
  revised,
  refused,
  notApplied,
}: VerdictImportReport): void {
  say(
    `pool ${pool}, version ${version}: ${answered} findings answered, ${verdicts} of the answers new, ${revised} labels corrected`,
  );
  if (unanswered !== null) say(`${unanswered} findings of the scan without an answer`);
  list(refused.map(({ row, reason }) => `row ${row}: ${reason}`));
  list(notApplied.map(({ row, reason }) => `row ${row}, label not corrected: ${reason}`));
}

function tellLabels(report: LabelImportReport): void {
  const { pool, version, exported, returned, changed, unchanged, known, verdicts, audits, loss } = report;
  say(
    `pool ${pool}, version ${version}: ${returned} of ${exported} images came back: ${changed} corrected, ${known} known already, ${unchanged} unchanged; ${verdicts} new verdicts, ${audits} images of the audit sample answered`,
  );
  if (loss.holes > 0)
    say(
      `${loss.holes} holes (${loss.holePixels} pixels) came back filled and were kept open; --fill-holes takes them as corrections`,
    );
  if (loss.edgePixels > 0) say(`${loss.edgePixels} pixels along edges that polygons moved were kept as they were`);
  list(
    report.refused.map(({ fileName, imageId, reason }) => `refused ${fileName} (${imageId.slice(0, 12)}): ${reason}`),
  );
  list(report.missing.map(({ fileName, imageId }) => `missing ${fileName} (${imageId})`));
  list(report.strangers.map((name) => `not of this export: ${name}`));
}

function list(lines: readonly string[]): void {
  for (const line of lines.slice(0, SHOWN)) say(`  ${line}`);
  if (lines.length > SHOWN) say(`  … and ${lines.length - SHOWN} more; --json lists all`);
}
