import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { PartloopError } from '../../../domain/base/errors.js';
import { parseJsonText } from '../../../formats/reading/jsonFile.js';
import { readIngestRules, writeIngestRules } from '../../../pool/ingest/rules.js';
import { openPool } from '../../../storage/pool/pool.js';
import { openEnvironmentStore } from '../../environment.js';
import { name as poolName } from '../../options.js';
import { printJson, say } from '../../terminal/output.js';

/** `partloop ingest rules`. */
export function registerRules(ingest: Command): void {
  ingest
    .command('rules')
    .description('Print how drops of a pool are taken, as JSON; given a file, replace these rules by it')
    .argument('<pool>', 'Name of the pool', poolName)
    .argument('[file]', 'JSON file with rules; those that it leaves out take their defaults')
    .action(rules);
}

async function rules(pool: string, file: string | undefined): Promise<void> {
  const given = file === undefined ? undefined : parseJsonText(await readRules(file), file);
  const { store } = await openEnvironmentStore();
  const opened = await openPool(store, pool);
  if (given === undefined) return printJson(await readIngestRules(store, opened));
  printJson(await writeIngestRules(store, opened, given));
  say(`pool ${pool}: drops that are not settled yet are taken by these rules`);
}

async function readRules(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((cause: unknown) => {
    throw new PartloopError('input-invalid', `${file} cannot be read`, { cause });
  });
}
