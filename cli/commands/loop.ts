import type { Client } from '@temporalio/client';
import type { Command } from 'commander';
import { proposalText } from '../../domain/detailsTable.js';
import type { LoopStatus } from '../../domain/messages.js';
import { storeOf, uiLink, withClient } from '../environment.js';
import { interruptible } from '../interrupt.js';
import { assertLoop, loopNames } from '../knownLoops.js';
import { commandLoop, isSettled, loopStatus, startLoop } from '../loopClient.js';
import { addLoopOptions, LOOP_HELP, loopRequest, wholeLoopRequest } from '../loopOptions.js';
import { watchLoop } from '../loopProgress.js';
import { name } from '../options.js';
import { printJson, printTable, say } from '../output.js';

const EXIT_SETTLED_WITHOUT_SUCCESS = 5;

/** `partloop loop start|status|pause|resume|adopt|stop|retry`. */
export function register(program: Command): void {
  const loop = program.command('loop').description('Start, watch and steer training loops');

  addLoopOptions(
    loop.command('start').description('Start a loop, or join the one that runs').argument('[name]', LOOP_HELP),
  )
    .option('--wait', 'Wait until the iterations are done')
    .option('--json', 'Print one JSON object on stdout')
    .action(async (name: string | undefined, options: Record<string, unknown>) => {
      const { wait, json } = options;
      const request = wholeLoopRequest(loopRequest(name, options));
      await withClient(async (client, env) => {
        const started = await startLoop(client, request);
        const link = uiLink(env, started.path);
        say(`loop ${started.loop}: ${started.outcome}, iteration ${started.nextIteration} is next`);
        if (link !== null) say(link);
        if (wait !== true) {
          if (json === true) printJson({ ...started, link });
          return;
        }
        await waitAndPrint(client, started.loop, json === true, link);
      });
    });

  loop
    .command('status')
    .description('What loops do and have done')
    .argument('[name]', 'Only this loop', name)
    .option('--json', 'Print one JSON object on stdout')
    .action(async (loop: string | undefined, { json }: { json?: true }) => {
      await withClient(async (client, env) => {
        if (loop !== undefined) await assertLoop(client, storeOf(env), loop);
        const names = loop === undefined ? await loopNames(client, 'running') : [loop];
        const statuses = await Promise.all(names.map((each) => loopStatus(client, each)));
        if (json) printJson(loop === undefined ? { loops: statuses } : statuses[0]);
        else if (statuses.length === 0) say('No loop runs. Start one with `partloop loop start`.');
        else statuses.forEach(printStatus);
      });
    });

  for (const [command, description] of [
    ['pause', 'Hold before the next step'],
    ['resume', 'Go on after a pause'],
  ] as const) {
    loop
      .command(command)
      .description(description)
      .argument('<name>', 'Name of the loop', name)
      .option('--json', 'Print one JSON object on stdout')
      .action((loop: string, { json }: { json?: true }) => steer(loop, { name: command, args: [] }, json));
  }

  loop
    .command('adopt')
    .description('Train the iterations to come with the settings that the last search proposed')
    .argument('<name>', 'Name of the loop', name)
    .option('--json', 'Print one JSON object on stdout')
    .action((loop: string, { json }: { json?: true }) => steer(loop, { name: 'adoptProposal', args: [] }, json));

  loop
    .command('stop')
    .description('End the loop after its iteration; it can be started again and goes on with the next one')
    .argument('<name>', 'Name of the loop', name)
    .option('--now', 'Cancel the running iteration; what is done of it is kept')
    .option('--json', 'Print one JSON object on stdout')
    .action((loop: string, { now, json }: { now?: true; json?: true }) =>
      steer(loop, { name: 'stop', args: [{ now: now ?? false }] }, json),
    );

  loop
    .command('retry')
    .description('Do the failed iteration again; steps that are done are kept')
    .argument('<name>', 'Name of the loop', name)
    .option('--wait', 'Wait until the iterations are done')
    .option('--json', 'Print one JSON object on stdout')
    .action(async (loop: string, { wait, json }: { wait?: true; json?: true }) => {
      await withClient(async (client, env) => {
        await assertLoop(client, storeOf(env), loop);
        const status = await commandLoop(client, loop, { name: 'retryIteration', args: [{}] });
        if (wait) await waitAndPrint(client, loop, json === true, uiLink(env, ''));
        else if (json) printJson(status);
        else printStatus(status);
      });
    });
}

async function steer(loop: string, command: Parameters<typeof commandLoop>[2], json: true | undefined): Promise<void> {
  await withClient(async (client, env) => {
    await assertLoop(client, storeOf(env), loop);
    const status = await commandLoop(client, loop, command);
    if (json) printJson(status);
    else printStatus(status);
  });
}

/** Wait with progress; Ctrl-C ends the wait, never the loop. */
export async function waitAndPrint(client: Client, loop: string, json: boolean, link: string | null): Promise<void> {
  const parting = [
    'Stopped waiting. The loop runs on.',
    `\`partloop loop status ${loop}\` shows it, \`partloop loop stop ${loop} --now\` ends it.`,
  ];
  const status = await interruptible(
    () => parting,
    () => watchLoop(client, loop),
  );
  if (json) printJson({ ...status, link });
  else printStatus(status);
  if (status.phase !== 'idle') process.exitCode = EXIT_SETTLED_WITHOUT_SUCCESS;
}

function printStatus(status: LoopStatus): void {
  say(
    `loop ${status.loop}: ${status.phase}${status.iteration === null ? '' : `, iteration ${status.iteration}`}, ${status.remaining} to go`,
  );
  if (status.error !== null) {
    say(`last error: ${status.error}`);
    if (isSettled(status)) say(`Try again with \`partloop loop retry ${status.loop}\`.`);
  }
  if (status.proposal !== null) say(proposalText(status.loop, status.proposal));
  printTable(
    status.rows.map(({ error: _, ...row }) => ({
      ...row,
      miou: row.miou?.toFixed(4) ?? null,
      benchmarkMiou: row.benchmarkMiou?.toFixed(4) ?? null,
    })),
  );
}
