import type { Command } from 'commander';
import { PartloopError } from '../../../domain/base/errors.js';
import { openPool } from '../../../storage/pool/pool.js';
import { storeOf, withClient } from '../../environment.js';
import {
  findSchedule,
  INGEST_SCHEDULES,
  type LoopSchedule,
  listSchedules,
  scheduleId,
  scheduleSpec,
  writeSchedule,
} from '../../loop/schedules.js';
import { name as poolName } from '../../options.js';
import { printJson, printTable, say } from '../../terminal/output.js';

/** Name of the Schedule that looks into every inbox: no pool may have it. */
const EVERY_POOL = '_all';

interface Options {
  every?: string;
  cron?: string;
  timeZone?: string;
  delete?: true;
  list?: true;
  json?: true;
}

/** `partloop ingest schedule`. */
export function registerSchedule(ingest: Command): void {
  ingest
    .command('schedule')
    .description('Look into the inbox of a pool at fixed times; into every inbox if no pool is named')
    .argument('[pool]', 'Name of the pool', poolName)
    .option('--every <interval>', 'Interval, e.g. 5m, 1h or 1d (5m if neither this nor --cron is given)')
    .option('--cron <expression>', 'Cron expression instead of --every, e.g. "0 * * * *"')
    .option('--time-zone <zone>', 'Time zone of --cron, e.g. Europe/Berlin; UTC if omitted')
    .option('--delete', 'Stop looking at fixed times')
    .option('--list', 'Show the times at which inboxes are looked into')
    .option('--json', 'Print one JSON object on stdout')
    .action(schedule);
}

async function schedule(pool: string | undefined, options: Options): Promise<void> {
  const { every, cron, timeZone, json } = options;
  const name = pool ?? EVERY_POOL;
  const spec = scheduleSpec({
    ...(every === undefined && cron === undefined ? { every: '5m' } : {}),
    ...(every === undefined ? {} : { every }),
    ...(cron === undefined ? {} : { cron }),
    ...(timeZone === undefined ? {} : { timeZone }),
  });
  await withClient(async (client, env) => {
    if (options.list) return show(await listSchedules(client, INGEST_SCHEDULES), json);
    if (options.delete) {
      if ((await findSchedule(client, name, INGEST_SCHEDULES)) === null)
        throw new PartloopError('not-found', `${whose(pool)} is not looked into at fixed times`, {
          hint: '`partloop ingest schedule --list` shows which ones are.',
        });
      await client.schedule.getHandle(scheduleId(name, INGEST_SCHEDULES)).delete();
      if (json) return printJson({ schedule: name, outcome: 'deleted' });
      return say(`${whose(pool)} is no longer looked into at fixed times`);
    }
    if (pool !== undefined) await openPool(storeOf(env), pool);
    const before = await findSchedule(client, name, INGEST_SCHEDULES);
    const request = pool === undefined ? {} : { pool };
    const wanted = { name, request, paused: false, spec, cron: cron ?? null };
    const after = await writeSchedule(client, wanted, INGEST_SCHEDULES);
    const outcome = before === null ? 'created' : 'updated';
    if (json) return printJson({ schedule: name, outcome, after });
    say(`${whose(pool)} is looked into ${after.when}`);
  });
}

const whose = (pool: string | undefined): string => (pool === undefined ? 'every inbox' : `the inbox of pool ${pool}`);

function show(schedules: readonly LoopSchedule[], json: true | undefined): void {
  if (json) printJson({ schedules });
  else if (schedules.length === 0)
    say('No inbox is looked into at fixed times; `partloop ingest schedule` sees to it.');
  else
    printTable(
      schedules.map(({ name, when, paused, next, last }) => ({
        ...{ inbox: name === EVERY_POOL ? 'every pool' : name, when, paused: paused ? 'yes' : 'no', next, last },
      })),
    );
}
