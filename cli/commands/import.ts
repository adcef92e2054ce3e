import { readFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { PartloopError } from '../../domain/errors.js';
import { nameSchema } from '../../domain/ids.js';
import { parseRequest } from '../../domain/messages.js';
import { TAXONOMIES } from '../../domain/taxonomies/index.js';
import { parseTaxonomy, type Taxonomy } from '../../domain/taxonomy.js';
import { readCoco } from '../../formats/coco/import.js';
import type { ImportItem } from '../../formats/importItem.js';
import { readMaskManifest } from '../../formats/masks/import.js';
import { importImages } from '../../pool/import/importImages.js';
import { openEnvironmentStore } from '../environment.js';
import { printJson, say } from '../output.js';
import { withCounter } from '../progress.js';

const REFUSED_SHOWN = 20;

interface Common {
  taxonomy: string;
  pool: string;
  split?: 'test';
  json?: true;
}

/** `partloop import coco|masks`. */
export function register(program: Command): void {
  const command = program
    .command('import')
    .description('Bring labelled images into a pool; importing the same data again adds nothing');
  common(command.command('coco').description('A COCO annotation file with polygons or run-length masks'))
    .requiredOption(
      '--images <folder>',
      'Folder of the pictures, or an s3:// prefix whose pictures stay where they are',
    )
    .requiredOption('--annotations <file>', 'The annotation file')
    .action((options: Common & { images: string; annotations: string }) =>
      run(options, (taxonomy) => readCoco(options.images, options.annotations, taxonomy)),
    );
  common(
    command.command('masks').description('Greyscale or palette index masks, listed in a JSON Lines manifest with tags'),
  )
    .requiredOption(
      '--manifest <file>',
      'Lines of {image, label, tags?, vehicleId?, source?, split?}, paths relative to the file',
    )
    .action((options: Common & { manifest: string }) => run(options, () => readMaskManifest(options.manifest)));
}

function common(command: Command): Command {
  return command
    .requiredOption('--taxonomy <name or file>', `Built in: ${Object.keys(TAXONOMIES).join(', ')}; or a JSON file`)
    .requiredOption('--pool <name>', 'The pool; made where it is new')
    .addOption(
      new Option('--split <split>', 'The images are the test set, which never enters training').choices(['test']),
    )
    .option('--json', 'Print one JSON object on stdout');
}

async function run(
  { taxonomy: named, pool, split, json }: Common,
  read: (taxonomy: Taxonomy) => AsyncIterable<ImportItem>,
): Promise<void> {
  parseRequest(nameSchema, pool, '--pool');
  const taxonomy = await loadTaxonomy(named);
  const { store } = await openEnvironmentStore();
  const report = await withCounter('import', 'images', (onProgress) =>
    importImages(store, pool, taxonomy, read(taxonomy), { test: split === 'test', onProgress, now: new Date() }),
  );
  if (json) return printJson(report);
  say(
    `pool ${report.pool}, version ${report.version}: ${report.added} added, ${report.known} known already, ${report.refused.length} refused`,
  );
  for (const { fileName, reason } of report.refused.slice(0, REFUSED_SHOWN)) say(`  ${fileName}: ${reason}`);
  if (report.refused.length > REFUSED_SHOWN)
    say(`  … and ${report.refused.length - REFUSED_SHOWN} more; --json lists all`);
}

/** A built-in taxonomy by name, or one from a JSON file. */
export async function loadTaxonomy(named: string): Promise<Taxonomy> {
  const builtIn = TAXONOMIES[named];
  if (builtIn !== undefined) return builtIn;
  try {
    return parseTaxonomy(JSON.parse(await readFile(named, 'utf8')), named);
  } catch (cause) {
    if (cause instanceof PartloopError) throw cause;
    throw new PartloopError(
      'input-invalid',
      `--taxonomy ${named} is neither built in (${Object.keys(TAXONOMIES).join(', ')}) nor a readable JSON file`,
      { cause },
    );
  }
}
