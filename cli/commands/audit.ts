import { mkdir } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { auditNames, slugOf } from '../../domain/audit/names.js';
import { counted } from '../../domain/base/counted.js';
import { cocoOutline } from '../../formats/coco/outline.js';
import type { EmptyPictures } from '../../formats/reading/importItem.js';
import { digestOf, digestOfTaxonomy } from '../../storage/digest.js';
import { openPool } from '../../storage/pool/pool.js';
import { auditClasses, tellClasses, writeTaxonomy } from '../audit/auditClasses.js';
import { auditFindings, tellFindings } from '../audit/auditFindings.js';
import { importForAudit } from '../audit/auditImport.js';
import { writeAuditReport } from '../audit/auditReport.js';
import { auditRequest } from '../audit/auditRequest.js';
import { scanForAudit } from '../audit/auditScan.js';
import { writeCorrected } from '../audit/auditWrite.js';
import { openBoard } from '../audit/openBoard.js';
import { storeOf, withClient } from '../environment.js';
import { settingsFrom, wholeNumberBetween } from '../options.js';
import { printJson, say } from '../terminal/output.js';

const MINUTES = 15;
const MAX_MINUTES = 1_440;

interface Options {
  images: string;
  annotations: string;
  minutes: number;
  taxonomy?: string;
  empty: EmptyPictures;
  followLinks?: true;
  out?: string;
  write?: string;
  set?: unknown;
  open: boolean;
  json?: true;
}

/** `partloop audit`: from a COCO file to its suspect labels, without anything else. */
export function register(program: Command): void {
  program
    .command('audit')
    .description('Find the wrong labels of a COCO file: import, cross-validation and a report, in about the time given')
    .requiredOption('--images <folder>', 'Folder that file_name is relative to, or an s3:// prefix')
    .requiredOption('--annotations <file>', 'COCO annotation file with polygons or run-length masks')
    .option('--minutes <n>', 'Time for everything after the set-up', wholeNumberBetween(1, MAX_MINUTES), MINUTES)
    .option('--taxonomy <file>', 'An edited taxonomy; if omitted, one is made from the categories')
    .addOption(
      new Option('--empty <how>', 'Pictures without any annotation: refuse them, or take them as showing no part')
        .choices(['refuse', 'background'])
        .default('refuse'),
    )
    .option('--follow-links', 'Read files behind symbolic links that lead out of the folder')
    .option('--out <file>', 'The report; audit-<name of the annotation file>.html if omitted')
    .option('--write <file>', 'Write the annotation file with the corrections that were accepted so far')
    .option('--set <path=value...>', 'Any setting of the scan, e.g. --set train.preset=efficientnet_lite0')
    .option('--no-open', 'Open no browser at the end')
    .option('--json', 'Print one JSON object on stdout, and open no browser')
    .action(audit);
}

async function audit(options: Options): Promise<void> {
  const startedAt = performance.now();
  const { settings } = settingsFrom({ set: options.set, fields: {}, shortFor: {} });
  const outline = await cocoOutline(options.annotations);
  const classes = await auditClasses(outline, { taxonomy: options.taxonomy });
  const { images, annotations, minutes, taxonomy: edited, empty } = options;
  say(`${annotations}: ${counted(outline.images, 'image', 'images')}`);
  tellClasses(classes, edited);
  const file = resolve(options.out ?? `audit-${slugOf(basename(annotations))}.html`);
  await mkdir(dirname(file), { recursive: true });
  if (edited === undefined) await writeTaxonomy(`${file.replace(/\.html?$/i, '')}.taxonomy.json`, classes.taxonomy);
  const place = images.includes('://') ? images : resolve(images);
  const names = auditNames(basename(annotations), {
    digest: digestOf([outline.sha256, place, digestOfTaxonomy(classes.taxonomy), empty]),
    minutes,
    settings: settings === undefined ? null : digestOf(settings),
  });
  await withClient(async (client, env) => {
    const store = storeOf(env);
    const source = { images, annotations, empty, followLinks: options.followLinks === true };
    const imported = await importForAudit(store, names.pool, classes, source);
    const pool = await openPool(store, names.pool);
    await scanForAudit({ client, env, store }, names, () =>
      auditRequest(store, pool, {
        ...{ names, minutes, startedAt, settings: settings ?? {}, home: env.home },
        ...{ longestSide: outline.longestSide, mayFlip: classes.mayFlip },
      }),
    );
    const found = await auditFindings(store, pool, names.scan);
    await writeAuditReport(store, pool, file, { annotations, outline, classes, imported, found });
    tellFindings(found, pool.taxonomy, { json: options.json === true });
    say(`report: ${file}`);
    const { write } = options;
    const corrected =
      write === undefined ? null : await writeCorrected(store, pool, { annotations, write, values: classes.labelOf });
    openBoard(env.board, names.scan, { open: options.open && options.json !== true });
    say('The local stack keeps running; `npx partloop down` stops it.');
    if (options.json !== true) return;
    const { judged, withFindings, share, warnings, suspects } = found;
    printJson({
      ...{ pool: names.pool, scan: names.scan, report: file },
      ...{ refused: imported.report.refused.length, overlaps: imported.overlaps },
      ...{ judged, withFindings, share, warnings, corrected },
      seconds: Math.round((performance.now() - startedAt) / 1_000),
      suspects: suspects.map(({ image, finding }) => ({
        image: image.fileName,
        pMislabelled: image.pMislabelled,
        kind: finding?.kind ?? null,
      })),
    });
  });
}
