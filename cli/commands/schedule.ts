import type { Command } from 'commander';
import { resolveStart } from '../../steps/startRequest.js';
import { storeOf, uiLink, withClient } from '../environment.js';
import { addLoopOptions, LOOP_HELP, loopRequest, wholeLoopRequest } from '../loop/loopOptions.js';
import {
  existingSchedule,
  findSchedule,
  type LoopSchedule,
  listSchedules,
  scheduleId,
  scheduleSpec,
  writeSchedule,
} from '../loop/schedules.js';
import { name } from '../options.js';
import { printJson, printTable, say } from '../terminal/output.js';

interface CreateOptions extends Record<string, unknown> {
  every?: string;
  cron?: string;
  timeZone?: string;
  loop?: string;
  paused?: true;
  json?: true;
}

/** `partloop schedule create|list|trigger|pause|resume|delete`: Temporal Schedules that start `startLoop`. */
export function register(program: Command): void {
  const schedule = program.command('schedule').description('Start loops as data arrives');

  addLoopOptions(
    schedule
      .command('create')
      .description(
        'Make a Schedule that starts a loop, or change the given options of an existing one; it joins a running loop',
      )
      .argument('<name>', 'Name of the schedule', name)
      .option('--every <interval>', 'Interval, e.g. 90m, 12h or 1d (1d if neither this nor --cron is given)')
      .option('--cron <expression>', 'Cron expression instead of --every, e.g. "30 3 * * MON"')
      .option('--time-zone <zone>', 'Time zone of --cron, e.g. Europe/Berlin; UTC if omitted')
      .option('--loop <loop>', LOOP_HELP)
      .option('--paused', 'Hold it until `schedule resume`'),
  )
    .option('--json', 'Print one JSON object on stdout')
    .action(create);

  schedule
    .command('list')
    .description('Schedules that start loops')
    .option('--json', 'Print one JSON object on stdout')
    .action(({ json }: { json?: true }) =>
      withClient(async (client) => {
        const schedules = await listSchedules(client);
        if (json) printJson({ schedules });
        else if (schedules.length === 0) say('No schedule yet; `partloop schedule create NAME` makes one.');
        else printTable(schedules.map(row));
      }),
    );

  for (const [command, description, done] of [
    ['trigger', 'Start the loop now', 'started its loop now'],
    ['pause', 'Hold the schedule', 'is paused'],
    ['resume', 'Go on', 'goes on'],
    ['delete', 'Remove the schedule; the loop stays', 'is deleted'],
  ] as const) {
    schedule
      .command(command)
      .description(description)
      .argument('<name>')
      .option('--json', 'Print one JSON object on stdout')
      .action((name: string, { json }: { json?: true }) =>
        withClient(async (client) => {
          await existingSchedule(client, name);
          const handle = client.schedule.getHandle(scheduleId(name));
          if (command === 'trigger') await handle.trigger();
          else if (command === 'pause') await handle.pause();
          else if (command === 'resume') await handle.unpause();
          else await handle.delete();
          if (json) printJson({ schedule: name, outcome: command });
          else say(`schedule ${name} ${done}`);
        }),
      );
  }
}

/** Everything is checked before any change; values that are not given stay in an existing schedule. */
async function create(name: string, options: CreateOptions): Promise<void> {
  const { every, cron, timeZone, loop, paused, json } = options;
  const given = loopRequest(loop, options);
  const spec = scheduleSpec({
    ...(every === undefined ? {} : { every }),
    ...(cron === undefined ? {} : { cron }),
    ...(timeZone === undefined ? {} : { timeZone }),
  });
  await withClient(async (client, env) => {
    const before = await findSchedule(client, name);
    const request = { ...before?.request, ...given };
    await resolveStart({ store: storeOf(env) }, wholeLoopRequest(request));
    const keepsSpec = before !== null && every === undefined && cron === undefined;
    const after = await writeSchedule(client, {
      name,
      request,
      paused: paused ?? before?.paused ?? false,
      spec: keepsSpec ? null : spec,
      cron: cron ?? null,
    });
    const link = uiLink(env, `/namespaces/${env.temporal.namespace}/schedules/${encodeURIComponent(scheduleId(name))}`);
    const outcome = before === null ? 'created' : 'updated';
    if (json) return printJson({ schedule: name, outcome, link, before, after });
    if (before === null) say(`schedule ${name} created`);
    else say(`schedule ${name} updated`, ...changes(before, after));
    printTable([row(after)]);
    if (link !== null) say(link);
  });
}

const text = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value));

function row({ name, when, timeZone, request, paused, next, last }: LoopSchedule): Record<string, string | null> {
  const zone = timeZone === 'UTC' || when.startsWith('every') ? '' : ` ${timeZone}`;
  return {
    schedule: name,
    when: `${when}${zone}`,
    pool: text(request.pool ?? 'the only one'),
    loop: text(request.loop ?? request.pool ?? 'as the pool'),
    paused: paused ? 'yes' : 'no',
    next: paused ? null : minute(next),
    last: minute(last),
  };
}

const minute = (time: string | null): string | null =>
  time === null ? null : `${time.slice(0, 16).replace('T', ' ')} UTC`;

/** The changes of an update, one per line. */
function changes(before: LoopSchedule, after: LoopSchedule): string[] {
  const facts = ({ when, timeZone, paused, request }: LoopSchedule): Record<string, unknown> => ({
    ...{ when, 'time zone': timeZone, paused },
    ...request,
  });
  const [old, now] = [facts(before), facts(after)];
  const changed = [...new Set([...Object.keys(old), ...Object.keys(now)])].filter(
    (name) => text(old[name]) !== text(now[name]),
  );
  if (changed.length === 0) return ['  nothing changed'];
  return changed.map((name) => `  ${name}: ${text(old[name] ?? 'not given')} → ${text(now[name] ?? 'not given')}`);
}
