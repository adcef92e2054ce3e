import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, join, resolve, sep } from 'node:path';
import type { Command } from 'commander';
import { counted } from '../../../domain/base/counted.js';
import { PartloopError } from '../../../domain/base/errors.js';
import { DROP_MARKER, dropNameSchema, MAX_DROP_FILES } from '../../../domain/ingest/drop.js';
import { keys } from '../../../storage/keys.js';
import { forEachLimited } from '../../../storage/parallel.js';
import { openPool } from '../../../storage/pool/pool.js';
import { openEnvironmentStore } from '../../environment.js';
import { name as poolName } from '../../options.js';
import { printJson, say } from '../../terminal/output.js';
import { withCounter } from '../../terminal/progress.js';

const IN_PARALLEL = 8;
const FILES = ['file', 'files'] as const;

interface Options {
  drop?: string;
  json?: true;
}

/** `partloop ingest send`. */
export function registerSend(ingest: Command): void {
  ingest
    .command('send')
    .description('Put a folder with images and labels into the inbox of a pool, its marker last')
    .argument('<pool>', 'Name of the pool', poolName)
    .argument('<folder>', 'Folder with images and a COCO file, or with a manifest.jsonl and index masks')
    .option('--drop <name>', 'Name of the drop; that of the folder if omitted')
    .option('--json', 'Print one JSON object on stdout')
    .action(sendFolder);
}

async function sendFolder(pool: string, folder: string, options: Options): Promise<void> {
  const drop = options.drop ?? basename(resolve(folder));
  const named = dropNameSchema.safeParse(drop);
  if (!named.success)
    throw new PartloopError(
      'input-invalid',
      `\`${drop}\` cannot be the name of a drop: ${named.error.issues[0]?.message}`,
      {
        hint: 'Give another one with --drop.',
      },
    );
  const files = await filesIn(folder);
  const { store } = await openEnvironmentStore();
  await openPool(store, pool);
  const place = keys.drop(pool, drop);
  if ((await store.head(`${place}${DROP_MARKER}`)) !== null)
    throw new PartloopError('refused', `drop ${drop} lies in the inbox of pool ${pool} already and is complete`, {
      hint: `Wait until it is settled (\`partloop ingest status ${pool}\`), or send it under another name with --drop.`,
    });
  await withCounter('send', FILES, async (onProgress, signal) => {
    let done = 0;
    await forEachLimited(
      files,
      IN_PARALLEL,
      async (path) => {
        await store.putFile(`${place}${path.split(sep).join('/')}`, join(folder, path));
        onProgress(++done);
      },
      signal,
    );
  });
  await store.put(`${place}${DROP_MARKER}`, JSON.stringify({ files: files.length }), 'application/json');
  if (options.json) return printJson({ pool, drop, files: files.length, place: `${store.uri}/${place}` });
  say(
    `drop ${drop}: ${counted(files.length, 'file', 'files')} in ${store.uri}/${place}`,
    `  \`partloop ingest run ${pool} --wait\` takes it in, unless a Schedule or a webhook does`,
  );
}

/** Files below a folder by relative path, without a marker of their own. Links that lead out are refused. */
async function filesIn(folder: string): Promise<string[]> {
  const root = await realpath(folder).catch((cause: unknown) => {
    throw new PartloopError('input-invalid', `there is no folder ${folder}`, { cause });
  });
  if (!(await stat(root)).isDirectory()) throw new PartloopError('input-invalid', `${folder} is no folder`);
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const link = entries.find((entry) => entry.isSymbolicLink());
  if (link !== undefined)
    throw new PartloopError('input-invalid', `${join(link.parentPath, link.name)} is a symbolic link`, {
      hint: 'Put the file itself there: a drop is what lies in its folder.',
    });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .filter((path) => path !== DROP_MARKER)
    .sort();
  if (files.length === 0) throw new PartloopError('input-invalid', `${folder} has no files`);
  if (files.length > MAX_DROP_FILES)
    throw new PartloopError('input-invalid', `${folder} has ${files.length} of at most ${MAX_DROP_FILES} files`, {
      hint: 'Send it as several drops.',
    });
  return files;
}
