import type { Command } from 'commander';
import { stopStack } from '../../infra/environment.js';
import { partloopHome } from '../../infra/home.js';
import { printJson, say } from '../terminal/output.js';

export function register(program: Command): void {
  program
    .command('down')
    .description('Stop the local stack; loops and scans go on at the next start')
    .option('--force', 'End everything at once; workers do not save their work')
    .option('--json', 'Print one JSON object on stdout')
    .action(async ({ force = false, json }: { force?: boolean; json?: true }) => {
      if (!force) say('Stopping the local stack; workers save their work …');
      const stopped = await stopStack({ force });
      say(stopped ? 'Stopped.' : 'No local stack runs.');
      if (json) printJson({ home: partloopHome(), stopped });
    });
}
