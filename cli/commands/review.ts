import { type Command, Option } from 'commander';
import { counted } from '../../domain/base/counted.js';
import { FAILURES } from '../../domain/base/failures/failure.js';
import { type Estimate, estimateRecall } from '../../domain/review/auditAnswers.js';
import { latestVerdicts, precisionByKind, VERDICTS } from '../../domain/review/review.js';
import { MAX_REVIEWER } from '../../domain/review/reviewImport.js';
import { importLabels } from '../../pool/review/importLabels.js';
import { importVerdicts } from '../../pool/review/importVerdicts.js';
import { reviewImports } from '../../pool/review/reviewImports.js';
import { undoReview } from '../../pool/review/undoReview.js';
import { openPool } from '../../storage/pool/pool.js';
import { readReviews } from '../../storage/reviews.js';
import { openEnvironmentStore } from '../environment.js';
import { name as poolName, textUpTo } from '../options.js';
import { printImports, tellLabels, tellUndo, tellVerdicts } from '../reviewTold.js';
import { printJson, printTable, say } from '../terminal/output.js';
import { IMAGES, withCounter } from '../terminal/progress.js';
import { registerPropagate } from './reviewPropagate.js';

interface ImportOptions {
  pool?: string;
  scan?: string;
  manifest?: string;
  reviewer?: string;
  unchanged?: 'right';
  empty?: 'deleted';
  fillHoles?: true;
  json?: true;
}

/** `partloop review import|list|undo|propagate`. */
export function register(program: Command): void {
  const review = program.command('review').description("Reviewers' answers to findings, and corrected labels");
  registerImport(review);
  registerList(review);
  registerUndo(review);
  registerPropagate(review);
}

function registerImport(review: Command): void {
  review
    .command('import')
    .description('Import answers to findings, or labels that an annotation tool made from an export')
    .argument(
      '<file>',
      'findings.csv with a column `verdict` (wrong, accept, right, unsure), a COCO or Label Studio .json file, or an unpacked folder of CVAT, YOLO or masks',
    )
    .option('--scan <scan>', 'CSV: the scan that was answered; all scans of the pool if omitted')
    .option('--pool <name>', 'CSV: the pool, if there are several and no scan is named')
    .option('--manifest <file>', 'manifest.json of the export, if it is not beside the file')
    .option('--reviewer <name>', 'Name of the reviewer, if the file has none', textUpTo(MAX_REVIEWER))
    .addOption(
      new Option(
        '--unchanged <verdict>',
        'Count unchanged images as answers: their labels are right. Give it if somebody looked at every image; if omitted, they do not count',
      ).choices(['right']),
    )
    .addOption(
      new Option(
        '--empty <meaning>',
        'Take images without any shape as corrections: they show no part. If omitted, they are held back, since an unfinished export looks the same',
      ).choices(['deleted']),
    )
    .option('--fill-holes', 'Take filled holes as corrections; if omitted, only where a finding asks for it')
    .option('--json', 'Print one JSON object on stdout')
    .action(async (path: string, options: ImportOptions) => {
      const { pool, scan, manifest, unchanged, empty, fillHoles, json } = options;
      const { store } = await openEnvironmentStore();
      const common = {
        path,
        reviewer: options.reviewer ?? null,
        now: new Date(),
        ...(pool === undefined ? {} : { pool }),
      };
      if (path.toLowerCase().endsWith('.csv')) {
        const report = await importVerdicts(store, { ...common, ...(scan === undefined ? {} : { scan }) });
        if (json) printJson(report);
        else tellVerdicts(report);
        if (report.answered === 0 && report.refused.length > 0) process.exitCode = FAILURES['data-invalid'].exitCode;
        return;
      }
      const report = await withCounter('review', IMAGES, (onProgress) =>
        importLabels(store, {
          ...common,
          ...(manifest === undefined ? {} : { manifest }),
          unchanged: unchanged ?? null,
          empty: empty ?? null,
          fillHoles: fillHoles === true,
          onProgress,
        }),
      );
      if (json) printJson(report);
      else tellLabels(report);
      if (report.returned === report.empty.length) process.exitCode = FAILURES['data-invalid'].exitCode;
    });
}

function registerList(review: Command): void {
  review
    .command('list')
    .description('Show the review imports of a pool, the answers to its findings, and how often each rule was right')
    .argument('<pool>', 'Name of the pool', poolName)
    .option('--json', 'Print one JSON object on stdout')
    .action(async (name: string, { json }: { json?: true }) => {
      const { store } = await openEnvironmentStore();
      const pool = await openPool(store, name);
      const reviews = await readReviews(store, pool.name);
      const { verdicts, audits } = reviews;
      const imports = reviewImports(reviews, await pool.history());
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
          ...{ counts, kinds, audit, imports },
        });
      if (imports.length > 0) printImports(imports);
      if (audit !== null) {
        const { answered, wrong, wrongShare, found, setAside } = audit;
        say(
          `audit samples: ${counted(answered, 'image', 'images')} answered, ${wrong} wrong; of all labels ${interval(wrongShare)} are wrong`,
        );
        if (found !== null && setAside !== null)
          say(`of the wrong ones, scans reported ${interval(found)} and set ${interval(setAside)} aside`);
      }
      if (latest.length === 0) return say(`No finding of pool ${name} was answered yet.`);
      const words = VERDICTS.map((word) => `${counts[word]} ${word}`).join(', ');
      say(
        `pool ${name}: ${counted(latest.length, 'finding', 'findings')} of ${counted(images, 'image', 'images')} answered ` +
          `(${words}), ${counted(corrected, 'label', 'labels')} corrected`,
      );
      printTable(
        kinds.map((row) => ({
          ...row,
          precision: row.precision === null ? null : `${(row.precision * 100).toFixed(0)} %`,
        })),
      );
    });
}

function registerUndo(review: Command): void {
  review
    .command('undo')
    .description('Undo a review import: labels become as before, and its answers no longer count')
    .argument('<pool>', 'Name of the pool', poolName)
    .argument('[review]', 'Its id from `review list`; the newest one not yet undone if omitted')
    .option('--json', 'Print one JSON object on stdout')
    .action(async (pool: string, id: string | undefined, { json }: { json?: true }) => {
      const { store } = await openEnvironmentStore();
      const report = await undoReview(store, { pool, now: new Date(), ...(id === undefined ? {} : { review: id }) });
      if (json) printJson(report);
      else tellUndo(report);
    });
}

function interval({ value, low, high }: Estimate): string {
  const percent = (share: number): string => (share * 100).toFixed(0);
  return `${percent(value)} % (${percent(low)}–${percent(high)} %)`;
}
