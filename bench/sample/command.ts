import { Command } from 'commander';
import { storeOf } from '../../cli/environment.js';
import { printLine, printText, say } from '../../cli/terminal/output.js';
import { POLICY_NAMES } from '../../domain/sample/config.js';
import { resultSchemas } from '../../domain/steps.js';
import { chunkRowSchema, findingRowSchema, scanImageRowSchema, trainingRowSchema } from '../../domain/tables.js';
import { ensureStack } from '../../infra/environment.js';
import { ROOT } from '../../infra/home.js';
import { openPool } from '../../storage/pool/pool.js';
import { writeTable } from '../../storage/tables/table.js';
import { wholeNumber } from '../detect/options.js';
import { makePool } from '../draw/makePool.js';
import { describeMachine, machineLine } from '../machine.js';
import { fixed, markdownTable, writeResults } from '../results.js';
import { type SampleCost, sampleCost } from './cost.js';
import { chunkRows, scanRows, trainingRows } from './rows.js';

interface Options {
  rows: number;
  chunk: number;
  trainingSet: number;
}

/** `npm run bench -- sample`: the cost of step sample in a large pool, by policy. */
export function sampleCommand(): Command {
  return new Command('sample')
    .description('Seconds of a core and memory of step sample, by policy')
    .option('--rows <n>', 'Images of the pool', wholeNumber, 750_000)
    .option('--chunk <n>', 'Images that were drawn and scanned', wholeNumber, 60_000)
    .option('--training-set <n>', 'Images of the training set before', wholeNumber, 150_000)
    .action(measure);
}

async function measure(options: Options): Promise<void> {
  const machine = describeMachine(ROOT);
  printLine(machineLine(machine));
  const env = await ensureStack();
  const store = storeOf(env);
  const pool = `bench-draw-even-${options.rows}`;
  await makePool(store, pool, options.rows, 'even');
  const poolVersion = await (await openPool(store, pool)).latestVersion();

  say(`a training set of ${options.trainingSet} and a chunk of ${options.chunk} …`);
  const place = `bench/sample/${options.rows}-${options.chunk}-${options.trainingSet}`;
  const tables = {
    trainingSet: `${place}/training-set.parquet`,
    chunk: `${place}/chunk.parquet`,
    images: `${place}/images.parquet`,
    findings: `${place}/findings.parquet`,
  };
  const chunk = chunkRows(options.trainingSet, options.chunk);
  await writeTable(store, tables.chunk, chunk, chunkRowSchema);
  await writeTable(store, tables.images, scanRows(chunk), scanImageRowSchema);
  await writeTable(store, tables.findings, [], findingRowSchema);
  await writeTable(store, tables.trainingSet, trainingRows(0, options.trainingSet), trainingRowSchema);
  const done = (digit: string) => ({ digest: digit.repeat(64), outcome: 'miss' as const, seconds: 1 });
  const draw = resultSchemas.draw.parse({
    ...{ ...done('1'), step: 'draw', outputs: { chunk: tables.chunk }, facts: { poolVersion } },
  });
  const scan = resultSchemas.scan.parse({
    ...{ ...done('2'), step: 'scan', outputs: { images: tables.images, findings: tables.findings }, facts: {} },
  });
  const costs: (SampleCost & { policy: string })[] = [];
  for (const policy of POLICY_NAMES) {
    const job = { pool, policy, draw, scan, trainingSet: tables.trainingSet };
    costs.push({ policy, ...(await sampleCost(env.home, job)) });
  }
  const table = costs.map((cost) => ({
    policy: cost.policy,
    picked: cost.picked,
    'training set': cost.trainingSet,
    'core s': fixed(cost.cpuSeconds, 1),
    'wall s': fixed(cost.wallSeconds, 1),
    'peak MB': fixed(cost.peakMegabytes, 0),
  }));
  printText(`\n${markdownTable(table)}`);
  printText(`\n${await writeResults(env.home, 'sample', 'latest', { machine, options, costs })}`);
}
