import { ScheduleAlreadyRunning, type ScheduleOptions, ScheduleOverlapPolicy } from '@temporalio/client';
import type { Command } from 'commander';
import { PartloopError } from '../../domain/errors.js';
import { nameSchema } from '../../domain/ids.js';
import { parseRequest, startLoopRequestSchema } from '../../domain/messages.js';
import { LIGHT_QUEUE } from '../../domain/queues.js';
import { openEnvironmentClient, uiLink } from '../environment.js';
import { printJson, printTable, say } from '../output.js';

const scheduleId = (name: string): string => `start-loop:${name}`;

/** `partloop schedule create|list|trigger|delete`: Temporal Schedules that start `startLoop`. */
export function register(program: Command): void {
  const schedule = program.command('schedule').description('Start loops as data arrives');

  schedule
    .command('create')
    .description('Create or update a Schedule that starts a loop; a run that is under way is joined, never doubled')
    .argument('<name>')
    .option('--every <interval>', 'Interval, e.g. 12h or 30m', '1d')
    .option('--cron <expression>', 'Cron expression in UTC, instead of --every')
    .option('--pool <pool>', 'The pool to draw from')
    .option('--loop <loop>', 'Name of the loop')
    .option('--iterations <n>', 'Iterations a start', Number, 1)
    .option('--paused', 'Create it paused')
    .option('--json', 'Print one JSON object on stdout')
    .action(
      async (
        name: string,
        options: {
          every: string;
          cron?: string;
          pool?: string;
          loop?: string;
          iterations: number;
          paused?: true;
          json?: true;
        },
      ) => {
        parseRequest(nameSchema, name, 'the name of a schedule');
        const { pool, loop, iterations } = options;
        const request = parseRequest(
          startLoopRequestSchema,
          { ...(pool === undefined ? {} : { pool }), ...(loop === undefined ? {} : { loop }), iterations },
          '`schedule create`',
        );
        const { client, env } = await openEnvironmentClient();
        try {
          const scheduled: ScheduleOptions = {
            scheduleId: scheduleId(name),
            spec:
              options.cron === undefined
                ? { intervals: [{ every: interval(options.every) }] }
                : { cronExpressions: [options.cron] },
            action: {
              type: 'startWorkflow',
              workflowType: 'startLoop',
              workflowId: `start:${name}`,
              taskQueue: LIGHT_QUEUE,
              args: [request],
            },
            policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 day', pauseOnFailure: false },
            state: { paused: options.paused ?? false, note: `starts loop ${loop ?? pool ?? ''}` },
          };
          const outcome = await createOrUpdate(client, scheduled);
          const link = uiLink(
            env,
            `/namespaces/${env.temporal.namespace}/schedules/${encodeURIComponent(scheduleId(name))}`,
          );
          if (options.json) printJson({ schedule: name, outcome, link });
          else say(`schedule ${name} ${outcome}${link === null ? '' : `\n${link}`}`);
        } finally {
          await client.connection.close();
        }
      },
    );

  schedule
    .command('list')
    .description('Schedules that start loops')
    .option('--json', 'Print one JSON object on stdout')
    .action(async ({ json }: { json?: true }) => {
      const { client } = await openEnvironmentClient();
      try {
        const schedules: { name: string; paused: string; next: string | null }[] = [];
        for await (const found of client.schedule.list()) {
          if (!found.scheduleId.startsWith('start-loop:')) continue;
          schedules.push({
            name: found.scheduleId.slice('start-loop:'.length),
            paused: String(found.state.paused),
            next: found.info.nextActionTimes[0]?.toISOString() ?? null,
          });
        }
        if (json) printJson({ schedules });
        else if (schedules.length === 0) say('No schedule yet; `partloop schedule create NAME` makes one.');
        else printTable(schedules);
      } finally {
        await client.connection.close();
      }
    });

  for (const [command, description] of [
    ['trigger', 'Start the loop now'],
    ['pause', 'Hold the schedule'],
    ['resume', 'Go on'],
    ['delete', 'Remove the schedule; the loop stays'],
  ] as const) {
    schedule
      .command(command)
      .description(description)
      .argument('<name>')
      .action(async (name: string) => {
        const { client } = await openEnvironmentClient();
        try {
          const handle = client.schedule.getHandle(scheduleId(name));
          if (command === 'trigger') await handle.trigger();
          else if (command === 'pause') await handle.pause();
          else if (command === 'resume') await handle.unpause();
          else await handle.delete();
          say(`schedule ${name}: ${command} done`);
        } finally {
          await client.connection.close();
        }
      });
  }
}

async function createOrUpdate(
  client: Awaited<ReturnType<typeof openEnvironmentClient>>['client'],
  scheduled: ScheduleOptions,
): Promise<'created' | 'updated'> {
  try {
    await client.schedule.create(scheduled);
    return 'created';
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    await client.schedule.getHandle(scheduled.scheduleId).update((previous) => ({
      ...previous,
      spec: scheduled.spec,
      action: { ...previous.action, ...scheduled.action } as typeof previous.action,
    }));
    return 'updated';
  }
}

/** `90m`, `12h`, `1d` -> the words Temporal's clients take. */
function interval(text: string): `${number} minutes` | `${number} hours` | `${number} days` {
  const match = /^(\d{1,5})([mhd])$/.exec(text);
  const amount = Number(match?.[1]);
  if (match === null || amount < 1) {
    throw new PartloopError('input-invalid', `--every ${text}: expected minutes, hours or days such as 90m, 12h or 1d`);
  }
  return match[2] === 'm' ? `${amount} minutes` : match[2] === 'h' ? `${amount} hours` : `${amount} days`;
}
