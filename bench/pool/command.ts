import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { storeOf } from '../../cli/environment.js';
import { wholeNumberBetween } from '../../cli/options.js';
import { printJson, printText, say } from '../../cli/terminal/output.js';
import { ensureStack } from '../../infra/environment.js';
import { ROOT } from '../../infra/home.js';
import { openPool } from '../../storage/pool/pool.js';
import { makePool, SEGMENT } from '../draw/makePool.js';
import { poolRows } from '../draw/rows.js';
import { describeMachine, machineLine } from '../machine.js';
import { type Cost, ProcessWatch } from '../processes.js';
import { startPartloop } from '../program.js';
import { fixed, markdownTable, writeResults } from '../results.js';
import { makeScan } from './scan.js';

interface Options {
  rows: number;
  only?: string[];
  profile?: string;
  json?: true;
}

/** Images that a tag file names. */
const TAGGED = 1_000;

interface Figures {
  command: string;
  coreSeconds: number;
  wallSeconds: number;
  peakMegabytes: number;
}

/** `npm run bench -- pool`: the cost of commands that look at a large pool as a whole. */
export function poolCommand(): Command {
  return new Command('pool')
    .description('Seconds of a core and memory of commands over a large pool')
    .option('--rows <n>', 'Images of the pool', wholeNumberBetween(1_000, 10_000_000), 750_000)
    .option('--only <command...>', 'Measure these alone: stats, scan, remove, tag')
    .option('--profile <folder>', 'Write a profile of each command')
    .option('--json', 'Print one JSON object on stdout')
    .action(measure);
}

async function measure({ rows, only, profile, json }: Options): Promise<void> {
  const machine = describeMachine(ROOT);
  say(machineLine(machine));
  process.env.PARTLOOP_WORKERS ??= 'light';
  const env = await ensureStack();
  const store = storeOf(env);
  const pool = `bench-pool-${rows}`;
  const scan = `bench-pool-${rows}`;
  const folder = join(env.home, 'bench', 'pool');
  await mkdir(folder, { recursive: true });
  await makePool(store, pool, rows, 'even');
  await makeScan(store, scan, pool, Math.min(SEGMENT, rows));
  const before = await (await openPool(store, pool)).latestVersion();
  const tags = join(folder, 'tags.csv');
  await writeFile(tags, tagFile(before));
  const commands: Record<string, string[]> = {
    stats: ['pool', 'stats', pool],
    scan: ['scan', 'show', scan],
    remove: ['pool', 'remove', pool, '--where', 'vehicleId=vehicle-7'],
    tag: ['pool', 'tag', pool, tags, '--relabel'],
  };
  const figures: Figures[] = [];
  for (const [name, args] of Object.entries(commands)) {
    if (only !== undefined && !only.includes(name)) continue;
    say(`${args.slice(0, 2).join(' ')} …`);
    figures.push(await cost(env.home, args, profile ?? null));
    await writeResults(env.home, 'pool', 'latest', { machine, rows, figures });
  }
  if (json) return printJson({ machine, rows, figures });
  const table = figures.map(({ command, coreSeconds, wallSeconds, peakMegabytes }) => ({
    ...{ command, images: rows, 'core s': fixed(coreSeconds, 1), 'wall s': fixed(wallSeconds, 1) },
    'peak MB': fixed(peakMegabytes, 0),
  }));
  printText(`\n${markdownTable(table)}`);
}

/** Other angles than any earlier run gave: each run brings a new version of the pool. */
function tagFile(version: number): string {
  const angles = [0, 45, 90, 135, 180];
  const lines = poolRows(0, TAGGED, 'even').map(({ fileName }) => `${fileName},${angles[version % angles.length]}`);
  return ['file_name,angle', ...lines, ''].join('\n');
}

async function cost(home: string, args: readonly string[], profile: string | null): Promise<Figures> {
  const prefix = profile === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  const start = performance.now();
  const program = startPartloop(home, args, prefix);
  const watch = new ProcessWatch(() => [['command', program.pid]]);
  let figures: Cost[] = [];
  await program.ended.finally(() => {
    figures = watch.end();
  });
  const wallSeconds = (performance.now() - start) / 1_000;
  const { coreSeconds = 0, peakMegabytes = 0 } = figures[0] ?? {};
  return { command: args.slice(0, 2).join(' '), coreSeconds, wallSeconds, peakMegabytes };
}
