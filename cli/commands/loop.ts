import type { Client } from '@temporalio/client';
import type { Command } from 'commander';
import { proposalText } from '../../domain/detailsTable.js';
import { type LoopStatus, parseRequest, startLoopRequestSchema } from '../../domain/messages.js';
import { uiLink, withClient } from '../environment.js';
import { commandLoop, isSettled, loopStatus, startLoop } from '../loopClient.js';
import { watchLoop } from '../loopProgress.js';
import { number, settingsFrom } from '../options.js';
import { EXIT_INTERRUPTED, printJson, printTable, say } from '../output.js';

const { shape } = startLoopRequestSchema;
const help = (field: keyof typeof shape): string => shape[field].description ?? '';
const EXIT_SETTLED_WITHOUT_SUCCESS = 5;

/** `partloop loop start|status|pause|resume|adopt|stop|retry`. */
export function register(program: Command): void {
  const loop = program.command('loop').description('Start, watch and steer training loops');

  loop
    .command('start')
    .description('Start a loop, or join the one that runs')
    .argument('[name]', help('loop'))
    .option('--pool <pool>', help('pool'))
    .option('--iterations <n>', help('iterations'), number)
    .option('--chunk-size <n>', help('chunkSize'), number)
    .option('--sample-share <share>', help('sampleShare'), number)
    .option('--image-size <pixels>', help('imageSize'), number)
    .option('--train-iterations <n>', help('trainIterations'), number)
    .option('--batch-size <n>', help('batchSize'), number)
    .option('--preset <name>', help('preset'))
    .option('--seed <n>', help('seed'), number)
    .option('--set <path=value...>', 'Any other setting, e.g. --set scan.quarantineAt=0.6')
    .option('--wait', 'Wait until the iterations are done')
    .option('--json', 'Print one JSON object on stdout')
    .action(async (name: string | undefined, options: Record<string, unknown>) => {
      const { wait, json, set, ...fields } = options;
      const request = parseRequest(
        startLoopRequestSchema,
        { ...fields, ...(name === undefined ? {} : { loop: name }), ...settingsFrom(set) },
        '`loop start`',
      );
      await withClient(async (client, env) => {
        const started = await startLoop(client, request);
        const link = uiLink(env, started.path);
        say(
          `loop ${started.loop}: ${started.outcome}, iteration ${started.nextIteration} is next${link === null ? '' : `\n${link}`}`,
        );
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
    .argument('[name]', 'Only this loop')
    .option('--json', 'Print one JSON object on stdout')
    .action(async (name: string | undefined, { json }: { json?: true }) => {
      await withClient(async (client) => {
        const names = name === undefined ? await loopNames(client) : [name];
        const statuses = await Promise.all(names.map((each) => loopStatus(client, each)));
        if (json) printJson(name === undefined ? { loops: statuses } : statuses[0]);
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
      .argument('<name>')
      .option('--json', 'Print one JSON object on stdout')
      .action((name: string, { json }: { json?: true }) => steer(name, { name: command, args: [] }, json));
  }

  loop
    .command('adopt')
    .description('Train the iterations to come with the settings that the last search proposed')
    .argument('<name>')
    .option('--json', 'Print one JSON object on stdout')
    .action((name: string, { json }: { json?: true }) => steer(name, { name: 'adoptProposal', args: [] }, json));

  loop
    .command('stop')
    .description('End the loop after its iteration; it can be started again and goes on with the next one')
    .argument('<name>')
    .option('--now', 'Cancel the running iteration; what is done of it is kept')
    .option('--json', 'Print one JSON object on stdout')
    .action((name: string, { now, json }: { now?: true; json?: true }) =>
      steer(name, { name: 'stop', args: [{ now: now ?? false }] }, json),
    );

  loop
    .command('retry')
    .description('Do the failed iteration again; steps that are done are kept')
    .argument('<name>')
    .option('--wait', 'Wait until the iterations are done')
    .option('--json', 'Print one JSON object on stdout')
    .action(async (name: string, { wait, json }: { wait?: true; json?: true }) => {
      await withClient(async (client, env) => {
        const status = await commandLoop(client, name, { name: 'retryIteration', args: [{}] });
        if (wait) await waitAndPrint(client, name, json === true, uiLink(env, ''));
        else if (json) printJson(status);
        else printStatus(status);
      });
    });
}

async function steer(loop: string, command: Parameters<typeof commandLoop>[2], json: true | undefined): Promise<void> {
  await withClient(async (client) => {
    const status = await commandLoop(client, loop, command);
    if (json) printJson(status);
    else printStatus(status);
  });
}

/** Wait with progress; Ctrl-C ends the wait, never the loop. */
export async function waitAndPrint(client: Client, loop: string, json: boolean, link: string | null): Promise<void> {
  const abort = new AbortController();
  const interrupt = (): void => abort.abort();
  process.once('SIGINT', interrupt);
  try {
    const status = await watchLoop(client, loop, abort.signal);
    if (json) printJson({ ...status, link });
    else printStatus(status);
    if (status.phase !== 'idle') process.exitCode = EXIT_SETTLED_WITHOUT_SUCCESS;
  } catch (error) {
    if (!abort.signal.aborted) throw error;
    say(
      `\nStopped waiting. The loop runs on; \`partloop loop status ${loop}\` shows it, \`partloop loop stop ${loop} --now\` ends it.`,
    );
    process.exitCode = EXIT_INTERRUPTED;
  } finally {
    process.removeListener('SIGINT', interrupt);
  }
}

async function loopNames(client: Client): Promise<string[]> {
  const names: string[] = [];
  for await (const { workflowId } of client.workflow.list({
    query: "WorkflowType = 'trainingLoop' AND ExecutionStatus = 'Running'",
  })) {
    names.push(workflowId.replace(/^loop:/, ''));
  }
  return names.sort();
}

function printStatus(status: LoopStatus): void {
  say(
    `loop ${status.loop}: ${status.phase}${status.iteration === null ? '' : `, iteration ${status.iteration}`}, ${status.remaining} to go`,
  );
  if (status.error !== null)
    say(
      `last error: ${status.error}${isSettled(status) ? `\nTry again with \`partloop loop retry ${status.loop}\`.` : ''}`,
    );
  if (status.proposal !== null) say(proposalText(status.loop, status.proposal));
  printTable(
    status.rows.map(({ error: _, ...row }) => ({
      ...row,
      miou: row.miou?.toFixed(4) ?? null,
      benchmarkMiou: row.benchmarkMiou?.toFixed(4) ?? null,
    })),
  );
}
