import type { Command } from 'commander';
import { PartloopError } from '../../domain/base/errors.js';
import { loopWorkflowId } from '../../domain/base/ids.js';
import { LIGHT_QUEUE } from '../../domain/base/queues.js';
import { type StartLoopRequest, startLoopRequestSchema } from '../../domain/loop/startRequest.js';
import { WORKFLOWS } from '../../domain/workflowNames.js';
import { resolveStart } from '../../steps/startRequest.js';
import { runningLoops } from '../../steps/workflows/openWorkflows.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { listPools, openPool } from '../../storage/pool/pool.js';
import { storeOf, uiLink, withClient } from '../environment.js';
import { name } from '../options.js';
import { openInBrowser } from '../terminal/openInBrowser.js';
import { printJson, printLine, say } from '../terminal/output.js';

interface UiOptions {
  open?: true;
  json?: true;
}

/** A start in the Temporal UI that a person only has to confirm. */
export interface PreparedStart {
  pool: string;
  /** The page of the UI with its form filled in, except for the input: a link cannot carry that. */
  link: string;
  /** What goes into the field *Data* of its form. */
  input: Partial<StartLoopRequest>;
}

/** `partloop ui`: ways into the Temporal UI. */
export function register(program: Command): void {
  program
    .command('ui')
    .description('Links to the Temporal UI: a filled-in start form for each pool, and the loops that run')
    .argument('[pool]', 'Only this pool', name)
    .option('--open', 'Open the start form of the pool in the browser')
    .option('--json', 'Print one JSON object on stdout')
    .action(show);
}

async function show(pool: string | undefined, { open, json }: UiOptions): Promise<void> {
  await withClient(async (client, env) => {
    const namespace = `/namespaces/${encodeURIComponent(env.temporal.namespace)}`;
    const page = (path: string): string => {
      const link = uiLink(env, `${namespace}/workflows${path}`);
      if (link !== null) return link;
      throw new PartloopError('config-invalid', 'the address of the Temporal UI is not known', {
        hint: 'Set TEMPORAL_UI_URL to it, e.g. https://temporal.example.org.',
      });
    };
    const overview = page('');
    const store = storeOf(env);
    const all = await listPools(store);
    const pools = pool === undefined ? all : [(await openPool(store, pool)).name];
    const starts: PreparedStart[] = [];
    for (const each of pools)
      starts.push({ pool: each, link: page(startForm(each)), input: await exampleInput(store, each) });
    const loops = (await runningLoops(client)).sort().map((loop) => ({
      loop,
      link: page(`/${encodeURIComponent(loopWorkflowId(loop))}`),
    }));
    if (json) printJson({ overview, starts, loops });
    else print({ overview, starts, loops }, all.length === 1);
    if (open && !json) openInBrowser(starts.length === 1 && starts[0] !== undefined ? starts[0].link : overview);
  });
}

/** The UI's form takes these fields from its address, and no input. */
function startForm(pool: string): string {
  const fields = { workflowType: WORKFLOWS.startLoop, taskQueue: LIGHT_QUEUE, workflowId: `start:${pool}` };
  return `/start-workflow?${new URLSearchParams(fields)}`;
}

/** The fields that people change most, with the values of a start without fields: sent as it is, it changes nothing. */
async function exampleInput(store: ObjectStore, pool: string): Promise<Partial<StartLoopRequest>> {
  const { config } = await resolveStart({ store }, startLoopRequestSchema.parse({ pool }));
  return {
    pool,
    iterations: 1,
    chunkSize: config.chunkSize,
    sampleShare: config.sample.share,
    imageSize: config.train.imageSize,
    trainIterations: config.train.iterations,
    batchSize: config.train.batchSize,
    preset: config.train.preset,
  };
}

interface Links {
  overview: string;
  starts: readonly PreparedStart[];
  loops: readonly { loop: string; link: string }[];
}

/** `{}` starts a loop only if there is one pool to start it over. */
function print({ overview, starts, loops }: Links, isOnlyPool: boolean) {
  printLine(`All workflows: ${overview}`);
  for (const { pool, link, input } of starts) {
    printLine('');
    printLine(`Start a loop over pool ${pool}: ${link}`);
    const least = isOnlyPool ? '{}' : JSON.stringify({ pool });
    printLine(`Its data, with the values of a start without settings; change what you like, or give ${least}:`);
    printLine(JSON.stringify(input));
  }
  if (starts.length === 0) say('No pool yet; `partloop import coco` or `partloop import masks` makes one.');
  if (loops.length > 0) printLine('');
  for (const { loop, link } of loops) printLine(`Loop ${loop} runs: ${link}`);
}
