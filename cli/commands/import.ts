import { readFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { PartloopError } from '../../domain/base/errors.js';
import { FAILURES } from '../../domain/base/failures/failure.js';
import { nameSchema } from '../../domain/base/ids.js';
import { parseRequest } from '../../domain/settings/parse.js';
import { builtInTaxonomy, TAXONOMIES } from '../../domain/taxonomies/index.js';
import { parseTaxonomy, type Taxonomy } from '../../domain/taxonomy.js';
import { readCoco } from '../../formats/coco/import.js';
import { MASK_VALUES, MAX_IGNORED, type MaskValues, readMaskManifest } from '../../formats/masks/import.js';
import type { ClassRules } from '../../formats/reading/classMatcher.js';
import type { EmptyPictures, ImportEntry, ImportReport } from '../../formats/reading/importItem.js';
import { parseJsonText } from '../../formats/reading/jsonFile.js';
import { withTagFile } from '../../formats/reading/tagFile.js';
import { withDecoderApart } from '../../pool/import/decoder.js';
import { importImages } from '../../pool/import/importImages.js';
import { groupRefusals } from '../../pool/import/refusals.js';
import { openEnvironmentStore } from '../environment.js';
import { number } from '../options.js';
import { tellLoopsAfterImport } from '../pool/poolNews.js';
import { printJson, say } from '../terminal/output.js';
import { IMAGES, withCounter } from '../terminal/progress.js';

const NAMES_SHOWN = 5;

interface Common {
  taxonomy: string;
  pool: string;
  split?: 'test';
  tags?: string;
  relabel?: true;
  restore?: true;
  followLinks?: true;
  json?: true;
}

interface CocoFlags extends Common {
  images: string;
  annotations: string;
  classMap?: string[];
  ignoreClass?: string[];
  empty: EmptyPictures;
}

interface MaskFlags extends Common {
  manifest: string;
  maskValues: MaskValues;
  maxIgnored: number;
}

/** `partloop import coco|masks`. */
export function register(program: Command): void {
  const command = program
    .command('import')
    .description('Bring labelled images into a pool; importing the same data again changes nothing');
  common(command.command('coco').description('A COCO annotation file with polygons or run-length masks'))
    .requiredOption(
      '--images <folder>',
      'Folder that file_name is relative to, or an s3:// prefix; its pictures stay there',
    )
    .requiredOption('--annotations <file>', 'The annotation file')
    .option(
      '--class-map <category=class...>',
      'Class of each category with a different name; `background` and `ignored` are allowed',
    )
    .option('--ignore-class <category...>', 'Leave out the annotations of these categories')
    .addOption(
      new Option('--empty <how>', 'Pictures without any annotation: refuse them, or take them as showing no part')
        .choices(['refuse', 'background'])
        .default('refuse'),
    )
    .action((flags: CocoFlags) =>
      run(flags, (taxonomy, signal) => readCoco({ ...cocoOptions(flags, taxonomy), signal })),
    );
  common(
    command.command('masks').description('Greyscale or palette index masks, listed in a JSON Lines manifest with tags'),
  )
    .requiredOption(
      '--manifest <file>',
      'Lines of {image, label, tags?, vehicleId?, source?, split?}, paths relative to the file',
    )
    .addOption(
      new Option(
        '--mask-values <how>',
        'index: 0 is background, 1 the first class, 255 ignored; zero-based: 0 is the first class, 255 background',
      )
        .choices(MASK_VALUES)
        .default('index'),
    )
    .option('--max-ignored <share>', 'Refuse masks with a larger share of ignored pixels', number, MAX_IGNORED)
    .action((flags: MaskFlags) => {
      const { manifest, maskValues: values, maxIgnored, followLinks = false } = flags;
      return run(flags, () => readMaskManifest({ manifest, values, maxIgnored, followLinks }));
    });
}

function common(command: Command): Command {
  return command
    .requiredOption('--taxonomy <name or file>', `Built in: ${Object.keys(TAXONOMIES).join(', ')}; or a JSON file`)
    .requiredOption('--pool <name>', 'Name of the pool; made if there is none')
    .addOption(
      new Option('--split <split>', 'The images are the test set, which never enters training').choices(['test']),
    )
    .option('--tags <file>', 'CSV file with tags, vehicle_id, split and source by image name')
    .option('--relabel', 'Use labels and tags of this import, even if they were corrected since')
    .option('--restore', 'Take back images that were removed from the pool')
    .option('--follow-links', 'Read files behind symbolic links that lead out of the folder')
    .option('--json', 'Print one JSON object on stdout');
}

function cocoOptions(flags: CocoFlags, taxonomy: Taxonomy) {
  const { images: place, annotations, empty, followLinks = false } = flags;
  return { place, annotations, taxonomy, empty, followLinks, classes: classRules(flags) };
}

function classRules({ classMap = [], ignoreClass = [] }: CocoFlags): ClassRules {
  const map = new Map(
    classMap.map((pair) => {
      const at = pair.lastIndexOf('=');
      if (at < 1 || at === pair.length - 1)
        throw new PartloopError('input-invalid', `--class-map ${pair}: expected CATEGORY=CLASS`);
      return [pair.slice(0, at), pair.slice(at + 1)] as const;
    }),
  );
  return { map, leaveOut: new Set(ignoreClass) };
}

type ReadEntries = (taxonomy: Taxonomy, signal: AbortSignal | undefined) => AsyncIterable<ImportEntry>;

async function run(flags: Common, read: ReadEntries): Promise<void> {
  const { taxonomy: named, pool, split, tags, relabel = false, restore = false, json } = flags;
  parseRequest(nameSchema, pool, '--pool');
  const taxonomy = await loadTaxonomy(named);
  const { env, store } = await openEnvironmentStore();
  const options = { test: split === 'test', relabel, restore, now: new Date() };
  const report = await withCounter(
    'import',
    IMAGES,
    (onProgress, signal) =>
      withDecoderApart(async (decoder) => {
        const found = read(taxonomy, signal);
        const entries = tags === undefined ? found : await withTagFile(found, tags);
        return importImages(store, pool, taxonomy, entries, { ...options, decoder, onProgress, signal });
      }),
    { inGoodOrder: true },
  );
  if (report.added + report.restored > 0) await tellLoopsAfterImport(env, pool);
  if (json) printJson({ ...report, reasons: groupRefusals(report.refused) });
  else tell(report);
  if (report.added + report.replaced + report.updated + report.restored + report.known === 0)
    process.exitCode = FAILURES['data-invalid'].exitCode;
}

function tell(report: ImportReport): void {
  const { pool, version, added, replaced, updated, restored, known, kept, removed, refused } = report;
  const counts = [
    `${added} added`,
    ...(replaced > 0 ? [`${replaced} with another label than before`] : []),
    ...(updated > 0 ? [`${updated} with new tags, vehicle or split`] : []),
    ...(restored > 0 ? [`${restored} restored`] : []),
    `${known} known already`,
    ...(removed.length > 0 ? [`${removed.length} removed earlier and left out`] : []),
    `${refused.length} refused`,
  ];
  say(`pool ${pool}, version ${version}: ${counts.join(', ')}`);
  if (added > 0) say(splitText(report.split));
  for (const { reason, count, examples } of groupRefusals([...kept, ...refused]))
    say(`  ${count} × ${reason}: ${listed(examples, count)}`);
  for (const { notice, count, examples } of notices(report))
    say(`  note: ${count} × ${notice}: ${listed(examples, count)}`);
  if (refused.length > 0) say('  --json lists every one');
}

/** `split of those added: 380 train, 20 val (20 of them drawn, …), 0 test`. */
function splitText({ train, val, test, drawn }: ImportReport['split']): string {
  const how = drawn === 0 ? '' : ` (${drawn} of them drawn: about 5 % of the images without a split, by vehicle)`;
  return `split of those added: ${train} train, ${val} val${how}, ${test} test`;
}

function notices({ notices: found, unlabelled, movedToTest, removed }: ImportReport): ImportReport['notices'] {
  const named = (notice: string, names: readonly string[]) =>
    names.length === 0 ? [] : [{ notice, count: names.length, examples: names.slice(0, NAMES_SHOWN) }];
  return [
    ...found,
    ...named('images without a labelled pixel', unlabelled),
    ...named('images moved to the test split: earlier models have seen them', movedToTest),
    ...named('images removed earlier; --restore takes them back', removed),
  ];
}

const listed = (examples: readonly string[], count: number): string =>
  `${examples.join(', ')}${count > examples.length ? ', …' : ''}`;

/** A built-in taxonomy by name, or one from a JSON file. */
export async function loadTaxonomy(named: string): Promise<Taxonomy> {
  const builtIn = builtInTaxonomy(named);
  if (builtIn !== undefined) return builtIn;
  try {
    return parseTaxonomy(parseJsonText(await readFile(named, 'utf8'), named), named);
  } catch (cause) {
    if (cause instanceof PartloopError) throw cause;
    throw new PartloopError(
      'input-invalid',
      `--taxonomy ${named} is neither built in (${Object.keys(TAXONOMIES).join(', ')}) nor a readable JSON file`,
      { cause },
    );
  }
}
