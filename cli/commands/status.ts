import type { Command } from 'commander';
import { endText, resolveEnvironment, type StackStatus, stackStatus, unfit } from '../../infra/environment.js';
import { STRAYED_MEND, strayedText } from '../../infra/stack/pollers.js';
import { pausedText } from '../../steering/pausedWork.js';
import { abandonedQueues, abandonedText } from '../../steering/queues.js';
import { retryingText } from '../../steering/retrying.js';
import { connect } from '../environment.js';
import { describeRunningScans, printRunningScans, type RunningScan } from '../scan/scanWorkflows.js';
import { printJson, printLine, printTable } from '../terminal/output.js';

/** A slower service counts as hung. */
const ANSWER_MS = 8_000;

export function register(program: Command): void {
  program
    .command('status')
    .description('Show what runs: services, workers, scans, links')
    .option('--json', 'Print one JSON object on stdout')
    .action(async ({ json = false }: { json?: boolean }) => {
      const status = await stackStatus();
      const scans = await scansOf(status);
      if (json) return printJson({ ...status, scans });
      show(status);
      printRunningScans(scans ?? []);
    });
}

/** Scans that run and belong to no loop; null if Temporal does not answer. */
async function scansOf({ temporal }: StackStatus): Promise<RunningScan[] | null> {
  if (!temporal.reachable) return null;
  try {
    const client = await connect(await resolveEnvironment());
    try {
      return await client.withDeadline(Date.now() + ANSWER_MS, () => describeRunningScans(client));
    } finally {
      await client.connection.close();
    }
  } catch {
    // Running work is shown as far as it is visible: a starting server must not hide the rest.
    return null;
  }
}

function show({
  phase,
  failure,
  home,
  temporal,
  store,
  processes,
  queues,
  retrying,
  paused,
  strayed,
}: StackStatus): void {
  printLine(`Local stack  ${phase}${failure === null ? '' : `: ${failure}`} (${home})`);
  printLine(`Temporal     ${temporal.address ?? 'none'}, ${reach(temporal.reachable)}`);
  if (temporal.uiUrl !== null) printLine(`Web UI       ${temporal.uiUrl}`);
  printLine(
    `Store        ${store.uri}${store.endpoint === null ? '' : ` at ${store.endpoint}`}, ${reach(store.reachable)}`,
  );
  printTable(
    processes.map(({ name, pid, alive, restarts, lastExit, worker }) => ({
      process: name,
      pid: alive ? pid : null,
      state: stateOf(alive, worker),
      restarts,
      'last exit': lastExit,
    })),
  );
  if (phase === 'ready') for (const { name, lastWords } of unfit(processes)) printLine(endText(name, lastWords));
  for (const queue of abandonedQueues(queues ?? [])) printLine(abandonedText(queue));
  for (const one of retrying ?? []) printLine(`Tried again and again: ${retryingText(one)}`);
  for (const one of paused ?? []) printLine(pausedText(one));
  for (const one of strayed ?? []) printLine(`${strayedText(one)} ${STRAYED_MEND}`);
  if (phase === 'died')
    printLine('Its supervisor was killed; `partloop up --detach` starts it again with the same data.');
}

type Worker = StackStatus['processes'][number]['worker'];

/** Just `running` if nothing more is known. */
function stateOf(alive: boolean, worker: Worker): string {
  if (!alive) return 'not running';
  if (worker === null) return 'running';
  if (worker.does === 'polls') return 'running, asks for work';
  return worker.does === 'works' ? `running, at work on ${worker.on.join(', ')}` : 'running, asks for no work';
}

function reach(reachable: boolean | null): string {
  if (reachable === null) return 'found by the AWS SDK';
  return reachable ? 'answers' : 'does not answer';
}
