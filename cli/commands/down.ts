import type { Command } from 'commander';
import { stopStack } from '../../infra/environment.js';
import { say } from '../output.js';

export function register(program: Command): void {
  program
    .command('down')
    .description('stop the local stack; loops go on where they were at the next start')
    .option('--force', 'end everything at once, without letting workers save')
    .action(async ({ force = false }: { force?: boolean }) => {
      if (!force) say('Stopping the local stack; workers save what they have …');
      say((await stopStack({ force })) ? 'Stopped.' : 'No local stack runs.');
    });
}
