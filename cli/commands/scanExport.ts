import { type Command, InvalidArgumentError, Option } from 'commander';
import { exportScan } from '../../formats/export/exportScan.js';
import { REVIEW_FORMATS, type ReviewFormat } from '../../formats/export/manifest.js';
import { exportTables } from '../../formats/export/scanTables.js';
import { openEnvironmentStore } from '../environment.js';
import { printJson, printLine, say } from '../output.js';
import { withCounter } from '../progress.js';

const TABLES = ['csv', 'parquet'] as const;
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
    .description(
      'Write what a scan found: as tables, or as labels for an annotation tool, to be read back with `review import`',
    )
    .argument('<id>', 'A loop (its last iteration), LOOP:N, or the id of a scan')
    .addOption(new Option('--format <format>').choices([...TABLES, ...REVIEW_FORMATS]).makeOptionMandatory())
    .requiredOption('--out <folder>', 'Where to write; for labels a new or empty folder')
    .option('--image-root <path>', 'Link pictures as this folder or URI plus their file name, not to the store')
    .option('--all-classes', 'Export the whole label, not just the suspect classes')
    .option('--all-images', 'Export every image that was scanned, not just those with findings')
    .option('--simplify <px>', 'YOLO: how far in pixels polygons may leave the mask', pixels, 0.5)
    .option('--json', 'Print one JSON object on stdout')
    .action(async (id: string, { format, out, imageRoot, allClasses, allImages, simplify, json }: Options) => {
      const { store } = await openEnvironmentStore();
      if (format === 'csv' || format === 'parquet') {
        const report = await exportTables(store, { scan: id, format, out });
        if (json) return printJson({ ...report, format });
        say(`scan ${report.scan}: ${report.images} images, ${report.findings} findings`);
        for (const file of report.files) printLine(file);
        return;
      }
      const report = await withCounter('export', 'images', (onProgress) =>
        exportScan(store, {
          scan: id,
          format,
          out,
          imageRoot: imageRoot ?? null,
          allClasses: allClasses === true,
          allImages: allImages === true,
          simplifyPx: simplify,
          now: new Date(),
          onProgress,
        }),
      );
      if (json) return printJson(report);
      say(
        `scan ${report.scan}: ${report.images} images with ${report.findings} findings; ${report.lostPixels} of ${report.pixels} labelled pixels change by the format itself`,
      );
      for (const { fileName, reason } of report.leftOut.slice(0, LEFT_OUT_SHOWN))
        say(`  left out ${fileName}: ${reason}`);
      if (report.leftOut.length > LEFT_OUT_SHOWN)
        say(`  … and ${report.leftOut.length - LEFT_OUT_SHOWN} more; --json lists all`);
      for (const folder of report.folders) printLine(folder);
    });
}

function pixels(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 100) return value;
  throw new InvalidArgumentError('give 0 to 100 pixels');
}
