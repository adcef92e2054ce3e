import { join } from 'node:path';
import type { Command } from 'commander';
import { counted } from '../../../domain/base/counted.js';
import { PartloopError } from '../../../domain/base/errors.js';
import { nameSchema } from '../../../domain/base/ids.js';
import { parseRequest } from '../../../domain/settings/parse.js';
import type { StackEnvironment } from '../../../infra/environment.js';
import { deletePool } from '../../../pool/delete/deletePool.js';
import { type DeletionPlan, planDeletion } from '../../../pool/delete/planDeletion.js';
import { connect, openEnvironmentStore } from '../../environment.js';
import { type RunningUsers, runningUsers } from '../../pool/poolUsers.js';
import { printJson, printTable, say } from '../../terminal/output.js';
import { OBJECTS, withCounter } from '../../terminal/progress.js';

interface Flags {
  confirm?: string;
  whileInUse?: boolean;
  json?: true;
}

/** `partloop pool delete`. */
export function registerDelete(pool: Command): void {
  pool
    .command('delete')
    .description(
      'Delete a pool with all its images, labels and reviews; without --confirm, only show what that deletes',
    )
    .argument('<pool>')
    .option('--confirm <pool>', 'Delete it: the name of the pool again')
    .option('--while-in-use', 'Delete it even if loops or scans use it; they then fail')
    .option('--json', 'Print one JSON object on stdout')
    .action(remove);
}

async function remove(name: string, { confirm, whileInUse = false, json }: Flags): Promise<void> {
  parseRequest(nameSchema, name, 'the name of a pool');
  if (confirm !== undefined && confirm !== name)
    throw new PartloopError('input-invalid', `--confirm ${confirm} is not the pool's name, ${name}`);
  const { store, env } = await openEnvironmentStore();
  const { plan, poolOfLoop } = await withCounter('look for it', OBJECTS, (onProgress) =>
    planDeletion(store, name, onProgress),
  );
  const users = await askTemporal(env, name, poolOfLoop);
  if (!json) tell(plan, users);
  if (confirm === undefined) {
    if (json) printJson({ ...plan, temporal: users, done: false });
    else say(`Nothing is done yet: \`partloop pool delete ${name} --confirm ${name}\` deletes it.`);
    return;
  }
  if (!whileInUse) refuseInUse(plan, users);
  const deleted = await withCounter('delete', OBJECTS, (onProgress) => {
    let done = 0;
    return deletePool(store, name, {
      cacheFolder: join(env.home, 'cache'),
      now: new Date(),
      onProgress: (objects) => {
        done += objects;
        onProgress(done);
      },
    });
  });
  if (json) return printJson({ ...plan, temporal: users, done: true, deleted });
  say(`pool ${name} is deleted: ${counted(deleted, 'object', 'objects')}`);
  for (const { place } of plan.users) say(`  stays: ${place}`);
  say(
    `Other machines that train or run workers may keep copies in cache/pools/${name} and cache/segments below their PARTLOOP_HOME.`,
  );
}

/** Running work, from Temporal; null if it does not answer. */
async function askTemporal(
  env: StackEnvironment,
  pool: string,
  poolOfLoop: ReadonlyMap<string, string>,
): Promise<RunningUsers | null> {
  const client = await connect(env).catch((error: unknown) => {
    if (error instanceof PartloopError && error.code === 'stack-unavailable') return null;
    throw error;
  });
  if (client === null) return null;
  try {
    return await runningUsers(client, pool, poolOfLoop);
  } finally {
    await client.connection.close();
  }
}

/** @throws PartloopError `input-invalid` naming running work, or possible work if Temporal does not answer */
function refuseInUse({ pool, users }: DeletionPlan, temporal: RunningUsers | null): void {
  const running = temporal?.running ?? users.filter(({ isOpen }) => isOpen).map(({ name }) => name);
  if (running.length === 0) return;
  const how =
    temporal === null
      ? 'Temporal does not answer, and the store shows unfinished work of these'
      : 'these are not stopped';
  throw new PartloopError('input-invalid', `pool \`${pool}\` is in use; ${how}: ${running.join(', ')}`, {
    hint: 'End loops with `partloop loop stop NAME --now`, scans with `partloop scan stop NAME`; or give --while-in-use.',
  });
}

function tell({ pool, images, objects, bytes, users, production }: DeletionPlan, temporal: RunningUsers | null): void {
  const size = `${counted(objects, 'object', 'objects')}, ${(bytes / 1e9).toFixed(2)} GB`;
  say(
    `pool ${pool}: ${images === null ? 'half deleted' : counted(images, 'image', 'images')}, ${size}; pictures outside the pool stay`,
  );
  if (users.length > 0) {
    say('Loops and scans over it; their results and models stay, but their iterations cannot be replayed:');
    printTable(
      users.map(({ name, kind, place, iterations, models, isOpen }) => ({
        ...{ name, kind, iterations, models },
        unfinished: isOpen ? 'yes' : '',
        place,
      })),
    );
  }
  for (const { registry, model } of production) say(`  in production by ${registry}: ${model}, trained on this pool`);
  if (temporal === null) {
    say('Temporal does not answer: running loops and Schedules are unknown.');
    return;
  }
  for (const id of temporal.running) say(`  runs: ${id}`);
  for (const schedule of temporal.schedules)
    say(`  Schedule ${schedule} starts loops over it: \`partloop schedule delete ${schedule}\` deletes it`);
}
