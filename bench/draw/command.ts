import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { storeOf } from '../../cli/environment.js';
import { printLine, printText } from '../../cli/terminal/output.js';
import { ensureStack } from '../../infra/environment.js';
import { ROOT } from '../../infra/home.js';
import { describeMachine, machineLine } from '../machine.js';
import { fixed, markdownTable, writeResults } from '../results.js';
import { type DrawCost, drawCost } from './cost.js';
import { makePool, SEGMENT } from './makePool.js';
import type { Spread } from './rows.js';

/** `npm run bench -- draw`: the cost of a draw from a large pool, by the spread of its perceptual hashes. */
export function drawCommand(): Command {
  return new Command('draw')
    .description('Seconds of a core and memory of a draw from a large pool')
    .option('--rows <n>', 'Images of the pool', Number, 750_000)
    .option('--crowded <n>', 'Images of a smaller pool whose hashes crowd in one place', Number, 200_000)
    .action(measure);
}

async function measure(options: { rows: number; crowded: number }): Promise<void> {
  const machine = describeMachine(ROOT);
  printLine(machineLine(machine));
  const env = await ensureStack();
  const store = storeOf(env);
  const costs: (DrawCost & { hashes: Spread })[] = [];
  const pools = [
    { hashes: 'even', rows: options.rows },
    { hashes: 'crowded', rows: options.crowded },
    { hashes: 'crowded', rows: options.rows },
  ] as const;
  for (const { hashes, rows } of pools) {
    const pool = `bench-draw-${hashes}-${rows}`;
    await makePool(store, pool, rows, hashes);
    const cacheFolder = join(env.home, 'bench', 'draw', pool);
    await mkdir(cacheFolder, { recursive: true });
    costs.push({ hashes, ...(await drawCost(env.home, { pool, chunkSize: SEGMENT, cacheFolder })) });
  }
  const table = costs.map((cost) => ({
    hashes: cost.hashes,
    images: cost.rows,
    drawn: cost.drawn,
    'their groups': cost.clusters,
    'read, core s': fixed(cost.readSeconds, 1),
    'draw, core s': fixed(cost.drawSeconds, 1),
    'whole rows, core s': fixed(cost.wholeRowsSeconds, 1),
    'wall s': fixed(cost.wallSeconds, 1),
    'peak MB': fixed(cost.peakMegabytes, 0),
  }));
  printText(`\n${markdownTable(table)}`);
  printText(`\n${await writeResults(env.home, 'draw', 'latest', { machine, costs })}`);
}
