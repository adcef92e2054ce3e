import type { Command } from 'commander';
import { type StackStatus, stackStatus } from '../../infra/environment.js';
import { printJson, printLine, printTable } from '../output.js';

export function register(program: Command): void {
  program
    .command('status')
    .description('show what runs: services, workers, links')
    .option('--json', 'print one JSON object')
    .action(async ({ json = false }: { json?: boolean }) => {
      const status = await stackStatus();
      if (json) printJson(status);
      else show(status);
    });
}

function show({ phase, failure, home, temporal, store, processes, queues }: StackStatus): void {
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
  const abandoned = (queues ?? []).filter(({ pollers, waiting }) => pollers.length === 0 && (waiting ?? 0) > 0);
  for (const { queue, kind, waiting } of abandoned)
    printLine(
      `${waiting} ${kind} task${waiting === 1 ? ' waits' : 's wait'} on queue ${queue}, which nobody polls now.`,
    );
  if (phase === 'died')
    printLine('Its supervisor was killed; `partloop up --detach` starts it again with the same data.');
}

type Worker = StackStatus['processes'][number]['worker'];

/** `running` alone where nobody knows more. */
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
