import type { Command } from 'commander';
import { collectGarbage, type Swept } from '../../../cleanup/gc/collectGarbage.js';
import { openWork } from '../../../cleanup/openWork.js';
import { PartloopError } from '../../../domain/base/errors.js';
import { amountText, megabytes, undeletedText } from '../../../domain/cleanup/details.js';
import { GARBAGE } from '../../../domain/cleanup/kinds.js';
import { cutoffTimes } from '../../../domain/cleanup/requests.js';
import { storeOf, withClient } from '../../environment.js';
import { printJson, printTable, say } from '../../terminal/output.js';
import { OBJECTS, withCounter } from '../../terminal/progress.js';
import { addScopeOptions, requestOf, type Scope } from './gcOptions.js';
import { registerSchedule } from './gcSchedule.js';

interface Flags extends Scope {
  delete?: boolean;
  json?: true;
}

/** `partloop gc`, and `partloop gc schedule`. */
export function register(program: Command): void {
  const command = program
    .command('gc')
    .description('Find objects that nothing reads any more; without --delete, only show how much that is')
    .option('--delete', 'Delete them');
  addScopeOptions(command).option('--json', 'Print one JSON object on stdout').action(gc);
  command.enablePositionalOptions();
  registerSchedule(command);
}

async function gc({ delete: isFinal = false, json, ...scope }: Flags): Promise<void> {
  await withClient(async (client, env) => {
    const { written, abandoned } = cutoffTimes(requestOf(scope, isFinal), Date.now());
    const swept = await withCounter(isFinal ? 'delete' : 'look for garbage', OBJECTS, (onProgress) =>
      collectGarbage(storeOf(env), {
        cutoffs: { written: new Date(written), abandoned: new Date(abandoned) },
        openWork: () => openWork(client),
        ...{ withShards: scope.shards === true, withCopies: scope.copies === true, isFinal, onProgress },
      }),
    );
    if (json && swept.failed.length === 0) printJson({ ...swept, done: isFinal });
    else if (!json) tell(swept, isFinal);
    if (swept.failed.length > 0)
      throw new PartloopError('store-unavailable', undeletedText(swept.failed, swept.failed.length), {
        hint: 'The credentials must be allowed to delete. Then run `partloop gc --delete` again.',
      });
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
  const sum = (of: 'objects' | 'bytes'): number => kinds.reduce((so, amount) => so + amount[of], 0);
  const [objects, bytes] = [sum('objects'), sum('bytes')];
  if (isFinal) say(`deleted: ${amountText({ objects, bytes })}`);
  else if (objects === 0) say('Nothing is to be deleted.');
  else say(`Nothing is done yet: the same command with --delete deletes ${amountText({ objects, bytes })}.`);
}
