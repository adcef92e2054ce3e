import { join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { counted } from '../../../domain/base/counted.js';
import { FAILURES } from '../../../domain/base/failures/failure.js';
import { createCocoDatasetWriter } from '../../../formats/coco/dataset.js';
import { type DatasetFormat, type MakeDatasetWriter, SPLITS, type Split } from '../../../formats/dataset.js';
import { createHfDatasetWriter } from '../../../formats/hf/dataset.js';
import { exportPool, type PoolExportReport } from '../../../pool/export/exportPool.js';
import type { ImagesOut } from '../../../pool/export/readForExport.js';
import { openEnvironmentStore } from '../../environment.js';
import { name as poolName } from '../../options.js';
import { printJson, printLine, say } from '../../terminal/output.js';
import { IMAGES, withCounter } from '../../terminal/progress.js';

const LEFT_OUT_SHOWN = 10;

interface Flags {
  out: string;
  split?: Split;
  images?: ImagesOut;
  json?: true;
}

const WRITERS: Readonly<Record<DatasetFormat, MakeDatasetWriter>> = {
  coco: createCocoDatasetWriter,
  hf: createHfDatasetWriter,
};

/** `partloop pool export coco|hf`. */
export function registerExport(pool: Command): void {
  const group = pool.command('export').description('Write a pool as a dataset that other tools read');
  common(group.command('coco').description('Pictures, and COCO annotations with run-length masks, one file per split'))
    .addOption(
      new Option('--images <how>', 'copy: write the pictures too; link: leave them in the store, named by coco_url')
        .choices(['copy', 'link'])
        .default('copy'),
    )
    .action((name: string, flags: Flags) => run(name, 'coco', flags));
  common(
    group
      .command('hf')
      .description('Parquet files with pictures and masks for Hugging Face datasets, card and Croissant'),
  ).action((name: string, flags: Flags) => run(name, 'hf', flags));
}

function common(command: Command): Command {
  return command
    .argument('<pool>', 'Name of the pool', poolName)
    .requiredOption('--out <folder>', 'A new or empty folder, or that of the same export, which then goes on')
    .addOption(new Option('--split <split>', 'Export this split alone').choices(SPLITS))
    .option('--json', 'Print one JSON object on stdout');
}

async function run(pool: string, format: DatasetFormat, { out, split, images = 'copy', json }: Flags): Promise<void> {
  const { env, store } = await openEnvironmentStore();
  const request = {
    ...{ pool, format, images, out: resolve(out), split: split ?? null },
    cacheFolder: join(env.home, 'cache', 'segments'),
    now: new Date(),
  };
  const report = await withCounter('export', IMAGES, (onProgress) =>
    exportPool(store, { ...request, onProgress }, WRITERS[format]),
  );
  if (json) printJson(report);
  else tell(report);
  if (report.images === 0) process.exitCode = FAILURES['data-invalid'].exitCode;
}

function tell({ pool, version, format, folder, images, turned, unlabelled, files, leftOut }: PoolExportReport): void {
  say(`pool ${pool}, version ${version}: ${counted(images, 'image', 'images')} in ${folder}`);
  if (turned > 0)
    say(
      `  ${counted(turned, 'picture', 'pictures')} written anew: EXIF turned them, and not every reader turns pictures`,
    );
  for (const { fileName, reason } of leftOut.slice(0, LEFT_OUT_SHOWN)) say(`  left out ${fileName}: ${reason}`);
  if (leftOut.length > LEFT_OUT_SHOWN) say(`  … and ${leftOut.length - LEFT_OUT_SHOWN} more; --json lists all`);
  for (const { file } of files) printLine(join(folder, file));
  const empty = unlabelled > 0 ? ' --empty background' : '';
  if (format === 'hf') say(`Read it with \`datasets.load_dataset("${folder}")\`.`);
  else
    say(
      `\`partloop import coco --images ${join(folder, 'images')} --annotations FILE --taxonomy ${join(folder, 'taxonomy.json')} --pool NAME${empty}\` reads each file back.`,
    );
}
