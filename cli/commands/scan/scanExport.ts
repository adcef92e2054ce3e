import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { counted } from '../../../domain/base/counted.js';
import {
  exportedFindingSchema,
  exportedImageSchema,
  exportedLeftOutSchema,
  exportScan,
  isBadReason,
  leftOutOfScan,
} from '../../../domain/scan/export.js';
import { findingRowSchema, scanImageRowSchema, sizedRowSchema } from '../../../domain/tables.js';
import { REVIEW_FORMATS, type ReviewFormat } from '../../../formats/manifest.js';
import { exportForReview } from '../../../pool/review/exportReview.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { openPool } from '../../../storage/pool/pool.js';
import { findScan, readMissing } from '../../../storage/scans.js';
import { readTable, writeTableFile } from '../../../storage/tables/table.js';
import { openEnvironmentStore } from '../../environment.js';
import { nextSteps, TABLE_FORMATS, tableSteps } from '../../exportSteps.js';
import { printJson, printLine, say } from '../../terminal/output.js';
import { IMAGES, withCounter } from '../../terminal/progress.js';

const TABLES = TABLE_FORMATS;
const LEFT_OUT_SHOWN = 10;

interface Options {
  format: (typeof TABLES)[number] | ReviewFormat;
  out: string;
  imageRoot?: string;
  allClasses?: true;
  allImages?: true;
  simplify: number;
  json?: true;
}

/** `partloop scan export`. */
export function registerExport(scan: Command): void {
  scan
    .command('export')
    .description('Write a scan as tables, or as labels for an annotation tool that `review import` reads back')
    .argument('<scan>', 'A scan, a loop (its last scan), or <loop>:<iteration>')
    .addOption(new Option('--format <format>', 'Kind of file').choices([...TABLES, ...REVIEW_FORMATS]).default('csv'))
    .requiredOption('--out <folder>', 'Output folder; made if there is none; must be empty for labels')
    .option('--image-root <path>', 'Labels: link pictures as this folder or URI plus their name, not to the store')
    .option('--all-classes', 'Labels: export them whole, not just the suspect classes')
    .option('--all-images', 'Labels: export every image that was scanned, not just those with findings')
    .option('--simplify <px>', 'YOLO: largest distance in pixels between a polygon and its mask', pixels, 0.5)
    .option('--json', 'Print one JSON object on stdout')
    .action(async (id: string, options: Options) => {
      const { store } = await openEnvironmentStore();
      const { format, json } = options;
      if (format === 'csv' || format === 'parquet') return exportTables(store, id, format, options.out, json === true);
      const out = resolve(options.out);
      const parting = (): string[] => [`${out} is incomplete: remove it before you export there again.`];
      const work = (onProgress: (done: number) => void) =>
        exportForReview(store, {
          scan: id,
          format,
          out,
          imageRoot: options.imageRoot ?? null,
          allClasses: options.allClasses === true,
          allImages: options.allImages === true,
          simplifyPx: options.simplify,
          now: new Date(),
          onProgress,
        });
      const report = await withCounter('export', IMAGES, work, { parting });
      if (json) return printJson(report);
      const findings = counted(report.findings, 'finding', 'findings');
      say(
        `scan ${report.scan}: ${counted(report.images, 'image', 'images')} with ${findings}; ${report.lostPixels} of ` +
          `${counted(report.pixels, 'labelled pixel changes', 'labelled pixels change')} through the format alone`,
      );
      for (const { fileName, reason } of report.leftOut.slice(0, LEFT_OUT_SHOWN))
        say(`  left out ${fileName}: ${reason}`);
      if (report.leftOut.length > LEFT_OUT_SHOWN)
        say(`  … and ${report.leftOut.length - LEFT_OUT_SHOWN} more; --json lists all`);
      for (const folder of report.folders) printLine(folder);
      say(...nextSteps(report, options.imageRoot ?? null));
    });
}

async function exportTables(
  store: ObjectStore,
  id: string,
  format: (typeof TABLES)[number],
  out: string,
  json: boolean,
): Promise<void> {
  const scan = await findScan(store, id);
  const pool = await openPool(store, scan.pool);
  const index = await pool.readColumns(scan.poolVersion, sizedRowSchema);
  const sizes = new Map(index.map((row) => [row.imageId, row]));
  const scanned = await readTable(store, scan.images, scanImageRowSchema);
  const { images, findings } = exportScan(
    scanned,
    await readTable(store, scan.findings, findingRowSchema),
    pool.taxonomy,
    (imageId) => sizes.get(imageId) ?? { width: 0, height: 0 },
  );
  const leftOut = leftOutOfScan(index, scanned, await readMissing(store, scan), scan.counts?.split ?? 'train');
  const folder = resolve(out);
  await mkdir(folder, { recursive: true });
  const files = {
    images: join(folder, `images.${format}`),
    findings: join(folder, `findings.${format}`),
    leftOut: join(folder, `left-out.${format}`),
    badImages: join(folder, `bad-images.${format}`),
  };
  await writeTableFile(files.images, format, images, exportedImageSchema);
  await writeTableFile(files.findings, format, findings, exportedFindingSchema);
  const bad = leftOut.filter(({ reason }) => isBadReason(reason));
  await writeTableFile(files.leftOut, format, leftOut, exportedLeftOutSchema);
  await writeTableFile(files.badImages, format, bad, exportedLeftOutSchema);
  const counts = { images: images.length, findings: findings.length, leftOut: leftOut.length, badImages: bad.length };
  if (json) return printJson({ scan: scan.id, ...counts, files });
  say(
    `${counted(images.length, 'image', 'images')}: ${files.images}`,
    `${counted(findings.length, 'finding', 'findings')}: ${files.findings}`,
    `${counted(leftOut.length, 'image', 'images')} not scanned: ${files.leftOut}`,
  );
  for (const [reason, count] of countReasons(leftOut)) say(`  ${reason}: ${count}`);
  if (bad.length > 0)
    say(
      `Repair ${counted(bad.length, 'bad image', 'bad images')}, or remove them from the pool: \`partloop pool remove ${scan.pool} --images ${files.badImages}\``,
    );
  if (findings.length > 0) say(...tableSteps(scan.id, format, files.findings));
}

function countReasons(leftOut: readonly { reason: string }[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const { reason } of leftOut) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
}

function pixels(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 100) return value;
  throw new InvalidArgumentError('give 0 to 100 pixels');
}
