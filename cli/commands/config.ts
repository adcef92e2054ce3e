import type { Command } from 'commander';
import { configJsonSchema, configReference } from '../../domain/settings/configReference.js';
import { printJson, printText } from '../output.js';

/** `partloop config schema|docs`. */
export function register(program: Command): void {
  const config = program.command('config').description('Every setting, from the one declaration of them');
  config
    .command('schema')
    .description('JSON Schema of the configuration')
    .action(() => printJson(configJsonSchema()));
  config
    .command('docs')
    .description('The reference page docs/config.md')
    .action(() => printText(configReference().trimEnd()));
}
