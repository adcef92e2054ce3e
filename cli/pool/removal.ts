import type { Client } from '@temporalio/client';
import type { Command } from 'commander';
import { namedKeys } from '../../cleanup/namedKeys.js';
import { doesSteps, openWorkflows } from '../../cleanup/openWork.js';
import {
  type Needed,
  planRemoval,
  prefixesOf,
  type Removable,
  type RemovalPlan,
  registered,
} from '../../cleanup/remove/planRemoval.js';
import { removeAll } from '../../cleanup/remove/removeAll.js';
import { counted } from '../../domain/base/counted.js';
import { PartloopError } from '../../domain/base/errors.js';
import { loopWorkflowId, standaloneScanWorkflowId } from '../../domain/base/ids.js';
import { oncePer } from '../../domain/base/oncePer.js';
import { isOpen } from '../../steps/workflows/openWorkflows.js';
import { storeOf, withClient } from '../environment.js';
import { listSchedules } from '../loop/schedules.js';
import { name } from '../options.js';
import { runningScans } from '../scan/scanWorkflows.js';
import { printJson, say } from '../terminal/output.js';
import { OBJECTS, withCounter } from '../terminal/progress.js';

interface Flags {
  confirm?: string;
  whileNeeded?: boolean;
  json?: true;
}

const WORDS = {
  loop: {
    content: 'a loop with all its iterations, models and reports',
    needed: 'Delete it even if other loops or scans need its models; their replays then fail',
    how: (of: string) => `\`partloop loop delete ${of} --confirm ${of}\` deletes it.`,
    stop: (of: string) => `End it with \`partloop loop stop ${of} --now\`.`,
  },
  scan: {
    content: 'a scan outside loops with its findings and folds',
    needed: 'Delete it even if loops or other scans need its objects; their replays then fail',
    how: (of: string) => `\`partloop scan delete ${of} --confirm ${of}\` deletes it.`,
    stop: (of: string) => `End it with \`partloop scan stop ${of}\`.`,
  },
} as const;

/** `partloop loop delete` and `partloop scan delete`. */
export function registerRemoval(parent: Command, kind: Removable): void {
  parent
    .command('delete')
    .description(`Delete ${WORDS[kind].content}; without --confirm, only show what that deletes`)
    .argument(`<${kind}>`, `Name of the ${kind}`, name)
    .option(`--confirm <${kind}>`, `Delete it: the name of the ${kind} again`)
    .option('--while-needed', WORDS[kind].needed)
    .option('--json', 'Print one JSON object on stdout')
    .action((given: string, flags: Flags) => remove(kind, given, flags));
}

async function remove(kind: Removable, given: string, { confirm, whileNeeded, json }: Flags): Promise<void> {
  if (confirm !== undefined && confirm !== given)
    throw new PartloopError('input-invalid', `--confirm ${confirm} is not the name of the ${kind}, ${given}`);
  await withClient(async (client, env) => {
    const store = storeOf(env);
    const recorded = await withCounter('look for it', OBJECTS, (onProgress) =>
      planRemoval(store, kind, given, onProgress),
    );
    const neededBy = oncePer([...recorded.neededBy, ...(await scansNaming(client, kind, given))], ({ by }) => by);
    const plan = { ...recorded, neededBy };
    const running = await runningOf(client, given);
    const schedules = (await listSchedules(client)).filter(
      ({ request }) => kind === 'loop' && (request.loop ?? request.pool) === given,
    );
    const shown = { ...plan, running, schedules: schedules.map((schedule) => schedule.name) };
    if (!json) tell(plan, running, shown.schedules);
    if (confirm === undefined) {
      if (json) printJson({ ...shown, done: false });
      else say(`Nothing is done yet: ${WORDS[kind].how(given)}`);
      return;
    }
    // What ended while the plan was made may have put its model into production.
    refuse({ ...plan, ...(await registered(store, given)) }, running, whileNeeded === true);
    const deleted = await withCounter('delete', OBJECTS, (onProgress) => removeAll(store, kind, given, onProgress));
    if (json) return printJson({ ...shown, done: true, deleted });
    say(`${kind} ${given} is deleted: ${counted(deleted, 'object', 'objects')}`);
  });
}

/** Ids of workflows of it that run. What has just started may not be listed yet, and is asked for by its id. */
async function runningOf(client: Client, of: string): Promise<string[]> {
  const listed = (await openWorkflows(client)).filter(
    (one) => one.name === of || (one.name === null && doesSteps(one)),
  );
  const running = new Set(listed.map(({ workflowId }) => workflowId));
  for (const id of [loopWorkflowId(of), standaloneScanWorkflowId(of)]) if (await isOpen(client, id)) running.add(id);
  return [...running];
}

/** Running scans whose input names objects of it: one that has just started has no record yet. */
async function scansNaming(client: Client, kind: Removable, of: string): Promise<Needed[]> {
  const own = prefixesOf(kind, of);
  return (await runningScans(client))
    .filter(({ scan, input }) => {
      return scan !== of && [...namedKeys(input)].some((key) => own.some((prefix) => key.startsWith(prefix)));
    })
    .map(({ scan, workflowId }) => ({ by: scan, kind: 'scan', record: `input of ${workflowId}` }));
}

/** @throws PartloopError `refused` naming what runs, or whoever needs it */
function refuse(
  { kind, name: given, production, formerly, neededBy }: RemovalPlan,
  running: string[],
  whileNeeded: boolean,
) {
  if (running.length > 0)
    throw new PartloopError('refused', `${kind} \`${given}\` is not stopped: ${running.join(', ')}`, {
      hint: WORDS[kind].stop(given),
    });
  const [first] = production;
  if (first !== undefined)
    throw new PartloopError('refused', `a model of ${kind} \`${given}\` is in production: ${first.model}`, {
      hint: `Put another model into production first (\`partloop iteration approve\`), or delete ${first.registry}: then none is.`,
    });
  if (whileNeeded || neededBy.length + formerly.length === 0) return;
  const users = [
    ...neededBy.map(({ by, record }) => `${by} (${record})`),
    ...formerly.map((registry) => `${registry} (history)`),
  ];
  throw new PartloopError('refused', `objects of ${kind} \`${given}\` are needed by ${users.join(', ')}`, {
    hint: 'Delete those first, or give --while-needed: then they cannot be replayed.',
  });
}

function tell(
  { kind, name: given, objects, bytes, iterations, models, production, formerly, neededBy }: RemovalPlan,
  running: readonly string[],
  schedules: readonly string[],
): void {
  const of =
    kind === 'loop' ? `${counted(iterations, 'iteration', 'iterations')}, ${counted(models, 'model', 'models')}, ` : '';
  say(`${kind} ${given}: ${of}${counted(objects, 'object', 'objects')}, ${(bytes / 1e6).toFixed(1)} MB`);
  for (const prefix of prefixesOf(kind, given)) say(`  all of ${prefix}`);
  say('The pool, its reviews and evaluations of models stay.');
  for (const { registry, model } of production) say(`  in production by ${registry}: ${model}`);
  for (const registry of formerly) say(`  was in production before: ${registry}`);
  for (const { by, kind: other, record } of neededBy) say(`  needed by ${other} ${by}: ${record}`);
  for (const id of running) say(`  runs: ${id}`);
  for (const schedule of schedules)
    say(`  Schedule ${schedule} starts it: \`partloop schedule delete ${schedule}\` deletes the Schedule`);
}
