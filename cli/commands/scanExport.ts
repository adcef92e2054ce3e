import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { exportedFindingSchema, exportedImageSchema, exportScan } from '../../domain/scanExport.js';
import { findingRowSchema, scanImageRowSchema } from '../../domain/tables.js';
import { openPool } from '../../storage/pool.js';
import { findScan } from '../../storage/scans.js';
import { readTable, writeTableFile } from '../../storage/table.js';
import { openEnvironmentStore } from '../environment.js';
import { printJson, say } from '../output.js';

/** `partloop scan export`: the tables of a scan as files. */
export function registerExport(scan: Command): void {
  scan
    .command('export')
    .description('Write a scan as images and findings, for other tools')
    .argument('<scan>', 'A scan, a loop (its last scan), or <loop>:<iteration>')
    .addOption(new Option('--format <format>', 'Kind of file').choices(['csv', 'parquet']).default('csv'))
    .requiredOption('--out <folder>', 'Folder for the files; made where it is not there')
    .option('--json', 'Print one JSON object on stdout')
    .action(async (id: string, { format, out, json }: { format: 'csv' | 'parquet'; out: string; json?: true }) => {
      const { store } = await openEnvironmentStore();
      const scan = await findScan(store, id);
      const pool = await openPool(store, scan.pool);
      const sizes = new Map((await pool.readIndex(scan.poolVersion)).map((row) => [row.imageId, row]));
      const { images, findings } = exportScan(
        await readTable(store, scan.images, scanImageRowSchema),
        await readTable(store, scan.findings, findingRowSchema),
        pool.taxonomy,
        (imageId) => sizes.get(imageId) ?? { width: 0, height: 0 },
      );
      const folder = resolve(out);
      await mkdir(folder, { recursive: true });
      const files = { images: join(folder, `images.${format}`), findings: join(folder, `findings.${format}`) };
      await writeTableFile(files.images, format, images, exportedImageSchema);
      await writeTableFile(files.findings, format, findings, exportedFindingSchema);
      if (json) return printJson({ scan: scan.id, images: images.length, findings: findings.length, files });
      say(`${images.length} images: ${files.images}\n${findings.length} findings: ${files.findings}`);
    });
}
