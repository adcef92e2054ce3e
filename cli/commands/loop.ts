import type { Client } from '@temporalio/client';
import type { Command } from 'commander';
import type { StartedLoop } from '../../activities/loop.js';
import type { LoopStatus } from '../../domain/messages.js';
import { steer, stopLoop } from '../../steering/deeds.js';
import { assertLoop, loopNames } from '../../steering/knownLoops.js';
import { type LoopCommand, loopStatusOrRecord, startLoop } from '../../steering/loopClient.js';
import { loopTroubles } from '../../steering/loopTroubles.js';
import { storeOf, uiLink, withClient } from '../environment.js';
import { addLoopOptions, LOOP_HELP, loopRequest, wholeLoopRequest } from '../loop/loopOptions.js';
import { watchLoop } from '../loop/loopProgress.js';
import { printStatus, printTroubled, printUnreadable, statusesOf, unreadableJson } from '../loop/loopShown.js';
import { name, settingsFrom } from '../options.js';
import { registerRemoval } from '../pool/removal.js';
import { interruptible } from '../terminal/interrupt.js';
import { printJson, say } from '../terminal/output.js';
import { registerPolicy } from './loopPolicy.js';

const EXIT_SETTLED_WITHOUT_SUCCESS = 5;

/** `partloop loop start|status|policy|pause|resume|adopt|stop|retry|delete`. */
export function register(program: Command): void {
  const loop = program.command('loop').description('Start, watch and steer training loops');
  registerStart(loop);
  registerStatus(loop);
  registerPolicy(loop);
  registerPause(loop);
  registerUpdate(loop, 'resume', 'resume', 'Go on after a pause');
  registerUpdate(
    loop,
    'adopt',
    'adoptProposal',
    'Train the next iterations with the settings that the last search proposed',
  );
  registerStop(loop);
  registerRetry(loop);
  registerRemoval(loop, 'loop');
}

function registerStart(loop: Command): void {
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
        say(`loop ${started.loop}: ${outcomeText(started)}`);
        if (link !== null) say(link);
        if (wait !== true) {
          if (json === true) printJson({ ...started, link });
          return;
        }
        await waitAndPrint(client, started.loop, json === true, link);
      });
    });
}

function registerStatus(loop: Command): void {
  loop
    .command('status')
    .description('Show loops: their state and their iterations')
    .argument('[name]', 'Only this loop', name)
    .option('--json', 'Print one JSON object on stdout')
    .action(async (loop: string | undefined, { json }: { json?: true }) => {
      await withClient(async (client, env) => {
        if (loop !== undefined) await assertLoop(client, storeOf(env), loop);
        const store = storeOf(env);
        const names = loop === undefined ? await loopNames(client, store) : [loop];
        const { statuses, unreadable } = await statusesOf(client, store, names);
        // A loop that runs for Temporal may stall nevertheless, so its waits are queried too.
        const troubled = await Promise.all(
          statuses.map(async (status) => ({ ...status, ...(await loopTroubles(client, status)) })),
        );
        const [first] = unreadable;
        if (first !== undefined && names.length === 1) throw first.error;
        if (json)
          printJson(loop === undefined ? { loops: troubled, unreadable: unreadable.map(unreadableJson) } : troubled[0]);
        else if (names.length === 0) say('There is no loop yet. Start one with `partloop loop start`.');
        else for (const status of troubled) printTroubled(status);
        if (!json) for (const one of unreadable) printUnreadable(one);
      });
    });
}

function registerPause(loop: Command): void {
  loop
    .command('pause')
    .description('Hold before the next step')
    .argument('<name>', 'Name of the loop', name)
    .option('--now', 'Let the current step save its work and hold now, instead of at its end')
    .option('--json', 'Print one JSON object on stdout')
    .action((loop: string, { now = false, json }: { now?: boolean; json?: true }) =>
      sendAndPrint(loop, { name: 'pause', args: [{ now }] }, json, (status) =>
        status.phase !== 'pausing'
          ? []
          : [
              now
                ? 'The current step saves its work; then the loop holds.'
                : `It holds when the current step ends; \`partloop loop pause ${loop} --now\` saves and holds at once.`,
            ],
      ),
    );
}

/** A command that sends an update without arguments. */
function registerUpdate(loop: Command, command: string, update: 'resume' | 'adoptProposal', description: string): void {
  loop
    .command(command)
    .description(description)
    .argument('<name>', 'Name of the loop', name)
    .option('--json', 'Print one JSON object on stdout')
    .action((loop: string, { json }: { json?: true }) => sendAndPrint(loop, { name: update, args: [] }, json));
}

function registerStop(loop: Command): void {
  loop
    .command('stop')
    .description('End the loop after its iteration; it can be started again and goes on with the next one')
    .argument('<name>', 'Name of the loop', name)
    .option('--now', 'Cancel the running iteration; finished work is kept')
    .option('--json', 'Print one JSON object on stdout')
    .action((loop: string, { now = false, json }: { now?: boolean; json?: true }) => stopAndPrint(loop, now, json));
}

function registerRetry(loop: Command): void {
  loop
    .command('retry')
    .description('Go on where an iteration failed; finished steps are kept, and a training goes on from its checkpoint')
    .argument('<name>', 'Name of the loop', name)
    .option('--set <path=value...>', 'A setting to change from now on, e.g. --set train.batchSize=8')
    .option('--wait', 'Wait until the iterations are done')
    .option('--json', 'Print one JSON object on stdout')
    .action(async (loop: string, { set, wait, json }: { set?: string[]; wait?: true; json?: true }) => {
      const settings = settingsFrom({ set, fields: {}, shortFor: {} });
      await withClient(async (client, env) => {
        const command = { name: 'retryIteration', args: [settings] } satisfies LoopCommand;
        const status = await steer({ client, store: storeOf(env), loop }, command);
        if (wait) await waitAndPrint(client, loop, json === true, uiLink(env, ''));
        else if (json) printJson(status);
        else printStatus(status);
      });
    });
}

async function sendAndPrint(
  loop: string,
  command: LoopCommand,
  json: true | undefined,
  remarks: (status: LoopStatus) => readonly string[] = () => [],
): Promise<void> {
  await withClient(async (client, env) => {
    const status = await steer({ client, store: storeOf(env), loop }, command);
    if (json) return printJson(status);
    printStatus(status);
    say(...remarks(status));
  });
}

async function stopAndPrint(loop: string, now: boolean, json: true | undefined): Promise<void> {
  await withClient(async (client, env) => {
    const store = storeOf(env);
    const stopped = await stopLoop({ client, store, loop }, now);
    if ('status' in stopped) return json ? printJson(stopped.status) : printStatus(stopped.status);
    if (json) return printJson(await loopStatusOrRecord(client, store, loop));
    say(`iteration ${stopped.cancelled.join(', ')} of loop ${loop} is cancelled; finished work is kept`);
  });
}

const OUTCOMES = {
  started: 'started',
  resumed: 'goes on after a failure or a wait',
  queued: 'already runs; this request waits behind it',
  joined: 'already runs; this request joins the one that waits',
} as const satisfies Record<StartedLoop['outcome'], string>;

function outcomeText({ outcome, nextIteration, remaining }: StartedLoop): string {
  return `${OUTCOMES[outcome]}; iteration ${nextIteration} is next, ${remaining} to go`;
}

/** Wait with progress; Ctrl-C ends the wait, never the loop. */
export async function waitAndPrint(client: Client, loop: string, json: boolean, link: string | null): Promise<void> {
  const parting = [
    'Stopped waiting. The loop goes on.',
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
