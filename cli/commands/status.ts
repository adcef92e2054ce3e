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

function show({ phase, failure, home, temporal, store, processes }: StackStatus): void {
  printLine(`Local stack  ${phase}${failure === null ? '' : `: ${failure}`} (${home})`);
  printLine(`Temporal     ${temporal.address ?? 'none'}, ${reach(temporal.reachable)}`);
  if (temporal.uiUrl !== null) printLine(`Web UI       ${temporal.uiUrl}`);
  printLine(
    `Store        ${store.uri}${store.endpoint === null ? '' : ` at ${store.endpoint}`}, ${reach(store.reachable)}`,
  );
  printTable(
    processes.map(({ name, pid, alive, restarts, lastExit }) => ({
      process: name,
      pid: alive ? pid : null,
      state: alive ? 'running' : 'not running',
      restarts,
      'last exit': lastExit,
    })),
  );
  if (phase === 'died')
    printLine('Its supervisor was killed; `partloop up --detach` starts it again with the same data.');
}

function reach(reachable: boolean | null): string {
  if (reachable === null) return 'found by the AWS SDK';
  return reachable ? 'answers' : 'does not answer';
}
