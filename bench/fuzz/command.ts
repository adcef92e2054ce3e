import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { printLine, printText, say } from '../../cli/terminal/output.js';
import { PartloopError } from '../../domain/base/errors.js';
import { partloopHome, ROOT } from '../../infra/home.js';
import { describeMachine, machineLine } from '../machine.js';
import { markdownTable, writeResults } from '../results.js';
import { type CaseReport, runBatches } from './batches.js';
import { runCase } from './engine.js';
import { TARGETS } from './targets/index.js';

const EVERY = 2_000;
const SHOWN = 20;

interface Options {
  cases: number;
  seed: number;
  only?: string;
  case?: number;
}

/** `npm run bench -- fuzz`: broken inputs for every reader of outside data. */
export function fuzzCommand(): Command {
  return new Command('fuzz')
    .description('Spoiled files, tables and messages for every importer, review reader and schema')
    .option('--cases <n>', 'Cases', Number, 10_000)
    .option('--seed <n>', 'Seed of all cases', Number, 1)
    .option('--only <target>', `One of ${TARGETS.map(({ name }) => name).join(', ')}`)
    .option('--case <n>', 'Run this one again, and keep its folder', Number)
    .action((options: Options) => (options.case === undefined ? fuzz(options) : again(options, options.case)));
}

async function again({ seed, only }: Options, number: number): Promise<void> {
  const { target, outcome, ms, failure, folder } = await runCase(seed, number, only ?? null, {
    keep: true,
    bounded: true,
  });
  printLine(`${target}, case ${number}: ${outcome}, ${Math.round(ms)} ms; its files are in ${folder}`);
  if (failure !== null) throw new PartloopError('data-invalid', failure.reason);
}

async function fuzz({ cases, seed, only }: Options): Promise<void> {
  const machine = describeMachine(ROOT);
  printLine(machineLine(machine));
  const home = partloopHome();
  const reports: Omit<CaseReport, 'failure'>[] = [];
  const failures: NonNullable<CaseReport['failure']>[] = [];
  const began = performance.now();
  const numbers = Array.from({ length: cases }, (_, number) => number);
  await runBatches(seed, numbers, only ?? null, ({ failure, ...report }) => {
    reports.push(report);
    if (failure !== null) {
      failures.push(failure);
      say(`case ${failure.number} of ${failure.target} failed: ${failure.reason.split('\n')[0]}`);
    }
    if (reports.length % EVERY === 0) say(`${reports.length} of ${cases} cases`);
  });
  const seconds = (performance.now() - began) / 1_000;
  const folder = join(home, 'fuzz');
  for (const failure of failures) {
    await mkdir(folder, { recursive: true });
    const name = `${failure.target}-${seed}-${failure.number}.json`;
    await writeFile(join(folder, name), JSON.stringify({ seed, ...failure }, null, 1));
  }
  const targets = byTarget(reports);
  printText(markdownTable(targets));
  printLine(`${cases} cases in ${Math.round(seconds)} s: ${(cases / seconds).toFixed(0)} a second; seed ${seed}`);
  const results = { machine, seed, cases, seconds, targets, failures: failures.length };
  printLine(await writeResults(home, 'fuzz', `seed-${seed}`, results));
  for (const { target, number, reason } of failures.slice(0, SHOWN))
    printLine(
      `bench fuzz --seed ${seed}${only === undefined ? '' : ` --only ${only}`} --case ${number}   # ${target}: ${reason.split('\n')[0]}`,
    );
  if (failures.length > 0)
    throw new PartloopError('data-invalid', `${failures.length} of ${cases} cases failed`, {
      hint: `${folder} has the files of each; --case runs one again.`,
    });
}

function byTarget(reports: readonly Omit<CaseReport, 'failure'>[]) {
  return TARGETS.flatMap(({ name }) => {
    const own = reports.filter(({ target }) => target === name);
    if (own.length === 0) return [];
    const counts = new Map<string, number>();
    for (const { outcome } of own) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    const times = own.map(({ ms }) => ms).sort((a, b) => a - b);
    return [
      {
        target: name,
        cases: own.length,
        outcomes: [...counts]
          .sort((a, b) => b[1] - a[1])
          .map(([outcome, count]) => `${outcome} ${count}`)
          .join(', '),
        'median ms': (times[times.length >> 1] ?? 0).toFixed(1),
        'slowest ms': (times.at(-1) ?? 0).toFixed(0),
        failed: counts.get('failed') ?? 0,
      },
    ];
  });
}
