import { userInfo } from 'node:os';
import { type Command, InvalidArgumentError } from 'commander';
import { PartloopError } from '../../domain/base/errors.js';
import { iterationLabel } from '../../domain/base/ids.js';
import { shownFacts } from '../../domain/shownFacts.js';
import { STEPS, type Step, stepSchema } from '../../domain/steps.js';
import { approve } from '../../steering/approve.js';
import { replay } from '../../steering/deeds.js';
import { cancelIteration } from '../../steering/loopClient.js';
import { runningIterations } from '../../steps/workflows/openWorkflows.js';
import { recordedIteration } from '../../storage/loopState.js';
import { openEnvironmentClient, openEnvironmentStore, storeOf, uiLink, withClient } from '../environment.js';
import {
  compareIterations,
  type IterationReference,
  iterationReference,
  printDifference,
} from '../loop/iterationDiff.js';
import { name, settingsFrom } from '../options.js';
import { printJson, printTable, say, sayText } from '../terminal/output.js';
import { waitAndPrint } from './loop.js';

const MAX_NAME = 200;
/** Indentation of the further facts of a step. */
const NO_STEP = { step: '', outcome: '', seconds: '', digest: '' };

/** `partloop iteration show|replay|cancel|diff|approve`. */
export function register(program: Command): void {
  const iteration = program
    .command('iteration')
    .description('Show and compare iterations, approve or cancel them, or do them again');
  registerShow(iteration);
  registerReplay(iteration);
  registerCancel(iteration);
  registerDiff(iteration);
  registerApprove(iteration);
}

function registerShow(iteration: Command): void {
  iteration
    .command('show')
    .description('The steps of an iteration: outcome, time, facts, place of the outputs')
    .argument('<loop>', 'Name of the loop', name)
    .argument('[n]', 'Iteration; the last one if omitted', wholeNumber)
    .option('--json', 'Print one JSON object on stdout')
    .action(async (loop: string, n: number | undefined, { json }: { json?: true }) => {
      const { store } = await openEnvironmentStore();
      const found = await recordedIteration(store, loop, n);
      if (json) return printJson(found);
      say(
        `loop ${loop}, iteration ${iterationLabel(found.iteration)}: ${found.current.status}${found.others.length === 0 ? '' : `, ${found.others.length} other attempt(s)`}`,
      );
      if (found.current.error !== null && found.current.error.trim() !== '') sayText(`error: ${found.current.error}`);
      printTable(
        STEPS.flatMap((step) => {
          const result = found.current.results[step];
          if (result === undefined) return [];
          const [first, ...rest] = shownFacts(step, result);
          const done = {
            step,
            outcome: result.outcome,
            seconds: String(result.seconds),
            digest: result.digest.slice(0, 12),
          };
          return [
            { ...done, fact: first?.label ?? '', value: first?.value ?? '' },
            ...rest.map(({ label, value }) => ({ ...NO_STEP, fact: label, value })),
          ];
        }),
      );
    });
}

function registerReplay(iteration: Command): void {
  iteration
    .command('replay')
    .description('Do an iteration again, beginning at a step; earlier steps are kept')
    .argument('<loop>', 'Name of the loop', name)
    .argument('<n>', 'Iteration', wholeNumber)
    .requiredOption('--from <step>', `Step to start from: ${STEPS.join(', ')}`, asStep)
    .option('--set <path=value...>', 'A setting for this attempt, e.g. --set train.iterations=9000')
    .option('--wait', 'Wait until it is done')
    .option('--json', 'Print one JSON object on stdout')
    .action(async (loop: string, n: number, options: { from: Step; set?: string[]; wait?: true; json?: true }) => {
      const { from, set, wait, json } = options;
      const settings = settingsFrom({ set, fields: {}, shortFor: {} });
      const { client, env } = await openEnvironmentClient();
      try {
        const status = await replay({ client, store: storeOf(env), loop }, { iteration: n, from, ...settings });
        if (wait) await waitAndPrint(client, loop, json === true, uiLink(env, ''));
        else if (json) printJson(status);
        else
          say(
            `iteration ${n} of loop ${loop} is done again, beginning at ${from}; \`partloop loop status ${loop}\` shows it`,
          );
      } finally {
        await client.connection.close();
      }
    });
}

function registerCancel(iteration: Command): void {
  iteration
    .command('cancel')
    .description('End the running iteration, whoever started it; finished work is kept, and a retry goes on from there')
    .argument('<loop>', 'Name of the loop', name)
    .argument('[n]', 'Iteration; the running one if omitted', wholeNumber)
    .option('--json', 'Print one JSON object on stdout')
    .action(async (loop: string, n: number | undefined, { json }: { json?: true }) => {
      await withClient(async (client) => {
        const [running] = n === undefined ? await runningIterations(client, loop) : [n];
        if (running === undefined)
          throw new PartloopError('refused', `no iteration of loop \`${loop}\` is running`, {
            hint: '`partloop loop status` shows all loops.',
          });
        await cancelIteration(client, loop, running);
        if (json) printJson({ loop, iteration: running, outcome: 'cancelled' });
        else
          say(`iteration ${running} of loop ${loop} is cancelled; \`partloop loop retry ${loop}\` goes on from there`);
      });
    });
}

function registerDiff(iteration: Command): void {
  iteration
    .command('diff')
    .description('Compare two iterations, or two attempts at one: settings, steps, facts, picks')
    .argument('<a>', 'Iteration as LOOP:N; LOOP:N@K for its Kth attempt, oldest first', iterationReference)
    .argument('<b>', 'The other one', iterationReference)
    .option('--json', 'Print one JSON object on stdout')
    .action(async (a: IterationReference, b: IterationReference, { json }: { json?: true }) => {
      const { store } = await openEnvironmentStore();
      const difference = await compareIterations(store, a, b);
      if (json) printJson(difference);
      else printDifference(difference);
    });
}

function registerApprove(iteration: Command): void {
  iteration
    .command('approve')
    .description('Put the candidate of an iteration into production, if the gate waits for approval')
    .argument('<loop>', 'Name of the loop', name)
    .argument('[n]', 'Iteration; the last one if omitted', wholeNumber)
    .option('--by <name>', 'Who approves', userInfo().username)
    .option('--json', 'Print one JSON object on stdout')
    .action(async (loop: string, n: number | undefined, { by, json }: { by: string; json?: true }) => {
      await withClient(async (client, env) => {
        const approval = await approve(client, storeOf(env), loop, { iteration: n, by: by.slice(0, MAX_NAME) });
        if (json) return printJson(approval);
        if (approval.untold !== null) say(`The alias in MLflow is not moved: ${approval.untold}`);
        say(`the model of loop ${loop}, iteration ${approval.iteration}, is in production: ${approval.reason}`);
      });
    });
}

export function wholeNumber(text: string): number {
  if (!/^\d{1,6}$/.test(text) || Number(text) < 1)
    throw new InvalidArgumentError(`\`${text}\` is not an iteration (1, 2, …).`);
  return Number(text);
}

function asStep(text: string): Step {
  const parsed = stepSchema.safeParse(text);
  if (!parsed.success) throw new InvalidArgumentError(`\`${text}\` is not a step; steps: ${STEPS.join(', ')}.`);
  return parsed.data;
}
