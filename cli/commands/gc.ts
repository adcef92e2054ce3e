import { type Command, Option } from 'commander';
import { collectGarbage, type Swept } from '../../cleanup/gc/collectGarbage.js';
import { GARBAGE, type OpenWork } from '../../cleanup/gc/garbage.js';
import { counted } from '../../domain/base/counted.js';
import { PartloopError } from '../../domain/base/errors.js';
import { storeOf, withClient } from '../environment.js';
import { openWork } from '../openWork.js';
import { wholeNumberBetween } from '../options.js';
import { printJson, printTable, say } from '../terminal/output.js';
import { OBJECTS, withCounter } from '../terminal/progress.js';

interface Flags {
  delete?: boolean;
  shards?: boolean;
  olderThan: number;
  abandonedAfter: number;
  json?: true;
}

const HOUR_MS = 3_600_000;
const YEAR_HOURS = 8_760;
const YEAR_DAYS = 365;
const NAMED = 5;

/** `partloop gc`. */
export function register(program: Command): void {
  program
    .command('gc')
    .description('Find objects that nothing reads any more; without --delete, only show how much that is')
    .option('--delete', 'Delete them')
    .option(
      '--shards',
      'Take what judges said of each image of finished scans too; a reset in the Temporal UI then judges again',
    )
    .addOption(
      new Option('--older-than <hours>', 'Leave what was written within so many hours')
        .default(24)
        .argParser(wholeNumberBetween(0, YEAR_HOURS)),
    )
    .addOption(
      new Option('--abandoned-after <days>', 'Leave unfinished steps and uploads that are younger than so many days')
        .default(7)
        .argParser(wholeNumberBetween(1, YEAR_DAYS)),
    )
    .option('--json', 'Print one JSON object on stdout')
    .action(gc);
}

async function gc({
  delete: isFinal = false,
  shards: withShards = false,
  olderThan,
  abandonedAfter,
  json,
}: Flags): Promise<void> {
  await withClient(async (client, env) => {
    const now = Date.now();
    const cutoffs = {
      written: new Date(now - olderThan * HOUR_MS),
      abandoned: new Date(now - Math.max(olderThan, 24 * abandonedAfter) * HOUR_MS),
    };
    const asked = (): Promise<OpenWork> => openWork(client);
    const swept = await withCounter(isFinal ? 'delete' : 'look for garbage', OBJECTS, (onProgress) =>
      collectGarbage(storeOf(env), { cutoffs, openWork: asked, withShards, isFinal, onProgress }),
    );
    if (json && swept.failed.length === 0) printJson({ ...swept, done: isFinal });
    else if (!json) tell(swept, isFinal);
    refuseFailed(swept);
  });
}

function tell({ kinds, loops, running, unreadable, noUploads }: Swept, isFinal: boolean): void {
  printTable(
    kinds.map(({ kind, objects, bytes }) => ({ kind, objects, MB: megabytes(bytes), content: GARBAGE[kind] })),
  );
  printTable(loops.map(({ loop, kind, objects, bytes }) => ({ of: loop, kind, objects, MB: megabytes(bytes) })));
  for (const id of running) say(`  runs, its work is left alone: ${id}`);
  for (const { key, why } of unreadable) say(`  what depends on ${key} is left alone: ${why}`);
  if (noUploads !== null) say(`  uploads that nobody ended are left alone: ${noUploads}`);
  const objects = kinds.reduce((sum, kind) => sum + kind.objects, 0);
  const bytes = kinds.reduce((sum, kind) => sum + kind.bytes, 0);
  const amount = `${counted(objects, 'object', 'objects')}, ${megabytes(bytes)} MB`;
  if (isFinal) say(`deleted: ${amount}`);
  else if (objects === 0) say('Nothing is to be deleted.');
  else say(`Nothing is done yet: the same command with --delete deletes ${amount}.`);
}

const megabytes = (bytes: number): number => Math.round(bytes / 1e5) / 10;

/** @throws PartloopError `store-unavailable` naming the first objects that the store did not delete */
function refuseFailed({ failed }: Swept): void {
  if (failed.length === 0) return;
  const named = failed.slice(0, NAMED).map(({ key, reason }) => `${key} (${reason})`);
  const more = failed.length > NAMED ? ` and ${failed.length - NAMED} more` : '';
  throw new PartloopError('store-unavailable', `these objects are not deleted: ${named.join(', ')}${more}`, {
    hint: 'The credentials must be allowed to delete. Then run `partloop gc --delete` again.',
  });
}
