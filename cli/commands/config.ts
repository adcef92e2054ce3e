import type { Command } from 'commander';
import { configJsonSchema, configReference } from '../../domain/settings/configReference.js';
import { printJson, printText } from '../terminal/output.js';

/** `partloop config schema|docs`. */
export function register(program: Command): void {
  const config = program.command('config').description('Print all settings, as a schema or as a page');
  config
    .command('schema')
    .description('Print the JSON Schema of the configuration')
    .action(() => printJson(configJsonSchema()));
  config
    .command('docs')
    .description('Print the reference page docs/config.md')
    .action(() => printText(configReference().trimEnd()));
}
