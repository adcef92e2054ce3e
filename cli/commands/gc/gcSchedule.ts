import type { Command } from 'commander';
import { PartloopError } from '../../../domain/base/errors.js';
import { withClient } from '../../environment.js';
import {
  findSchedule,
  GC_SCHEDULES,
  type LoopSchedule,
  scheduleId,
  scheduleSpec,
  writeSchedule,
} from '../../loop/schedules.js';
import { printJson, printTable, say } from '../../terminal/output.js';
import { addScopeOptions, requestOf, type Scope } from './gcOptions.js';

/** There is one Schedule, as there is one store. */
const NAME = 'store';

interface Options extends Scope {
  every?: string;
  cron?: string;
  timeZone?: string;
  off?: true;
  list?: true;
  json?: true;
}

/** `partloop gc schedule`. */
export function registerSchedule(gc: Command): void {
  const schedule = gc
    .command('schedule')
    .description('Delete what nothing reads any more at fixed times; `partloop gc` first shows what that is')
    .option('--every <interval>', 'Interval, e.g. 12h or 7d (1d if neither this nor --cron is given)')
    .option('--cron <expression>', 'Cron expression instead of --every, e.g. "30 3 * * *"')
    .option('--time-zone <zone>', 'Time zone of --cron, e.g. Europe/Berlin; UTC if omitted');
  addScopeOptions(schedule)
    .option('--off', 'Delete nothing at fixed times any more')
    .option('--list', 'Show the times, and what goes')
    .option('--json', 'Print one JSON object on stdout')
    .action(run);
}

async function run({ every, cron, timeZone, off, list, json, ...scope }: Options): Promise<void> {
  const spec = scheduleSpec({
    ...(every === undefined && cron === undefined ? { every: '1d' } : {}),
    ...(every === undefined ? {} : { every }),
    ...(cron === undefined ? {} : { cron }),
    ...(timeZone === undefined ? {} : { timeZone }),
  });
  await withClient(async (client) => {
    const before = await findSchedule(client, NAME, GC_SCHEDULES);
    if (list) return show(before, json);
    if (off) {
      if (before === null)
        throw new PartloopError('not-found', 'nothing is deleted at fixed times', {
          hint: '`partloop gc schedule` sees to it.',
        });
      await client.schedule.getHandle(scheduleId(NAME, GC_SCHEDULES)).delete();
      if (json) return printJson({ schedule: NAME, outcome: 'deleted' });
      return say('nothing is deleted at fixed times any more');
    }
    const wanted = { name: NAME, request: requestOf(scope, true), paused: false, spec, cron: cron ?? null };
    const after = await writeSchedule(client, wanted, GC_SCHEDULES);
    const outcome = before === null ? 'created' : 'updated';
    if (json) return printJson({ schedule: NAME, outcome, after });
    say(`what nothing reads any more is deleted ${after.when}`);
  });
}

function show(schedule: LoopSchedule | null, json: true | undefined): void {
  if (json) printJson({ schedules: schedule === null ? [] : [schedule] });
  else if (schedule === null) say('Nothing is deleted at fixed times; `partloop gc schedule` sees to it.');
  else printTable([row(schedule)]);
}

function row({ when, timeZone, paused, request, next, last }: LoopSchedule): Record<string, string | null> {
  const { shards, copies, olderThanHours, abandonedAfterDays } = request;
  return {
    ...{ when: when.startsWith('every') ? when : `${when} ${timeZone}`, paused: paused ? 'yes' : 'no', next, last },
    ...{ shards: shards === true ? 'yes' : 'no', copies: copies === true ? 'yes' : 'no' },
    ...{ 'older than': `${olderThanHours} h`, 'abandoned after': `${abandonedAfterDays} d` },
  };
}
