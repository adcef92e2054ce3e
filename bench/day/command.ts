import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { connect, storeOf } from '../../cli/environment.js';
import { printLine, printText, say } from '../../cli/terminal/output.js';
import { PartloopError } from '../../domain/base/errors.js';
import { ensureStack, stopStack } from '../../infra/environment.js';
import { ROOT } from '../../infra/home.js';
import { wholeNumber } from '../detect/options.js';
import { interruption } from '../interrupt.js';
import { describeMachine, machineLine } from '../machine.js';
import { fixed, markdownTable } from '../results.js';
import { type Account, account } from './account/account.js';
import { drawCars } from './cars.js';
import { MOST_CARS, planDay } from './drops/plan.js';
import type { Ledger } from './ledger.js';
import { playDay } from './play.js';
import { beginLoop, LOOP, makePool, POOL, SIZE } from './setUp.js';
import { readThere, type There } from './there.js';
import type { Repair } from './watcher.js';

const VAL_CARS = 6;
const TEST_CARS = 24;
/** Variables that would name services other than those of the day's own stack. */
const FOREIGN = ['TEMPORAL_ADDRESS', 'TEMPORAL_NAMESPACE', 'PARTLOOP_STORE', 'AWS_ENDPOINT_URL_S3'] as const;

interface Options {
  drops: number;
  iterations: number;
  seed: number;
  json?: string;
  keep?: true;
}

interface Day {
  ledger: Ledger;
  there: There;
  repairs: readonly Repair[];
  account: Account;
  seconds: number;
}

/** `npm run bench -- day`: a day of clients and a loop, and an account of every image. */
export function dayCommand(): Command {
  return new Command('day')
    .description(
      'Play a day: drops of clients, iterations begun by policy, and an account of every image that was sent',
    )
    .option('--drops <n>', 'Drops that clients send', wholeNumber, 50)
    .option('--iterations <n>', 'Iterations that their images are enough for', wholeNumber, 10)
    .option('--seed <n>', 'Seed of the cars and of the loop', wholeNumber, 1)
    .option('--json <file>', 'Write the account with both its sides as JSON')
    .option('--keep', "Leave the day's stack running, and say where it is")
    .action(run);
}

async function run({ drops, iterations, seed, json, keep }: Options): Promise<void> {
  const signal = interruption();
  const machine = describeMachine(ROOT);
  printLine(machineLine(machine));
  const home = await mkdtemp(join(tmpdir(), 'partloop-day-'));
  process.env.PARTLOOP_HOME = home;
  for (const name of FOREIGN) delete process.env[name];
  try {
    const day = await theDay(home, { drops, iterations, seed }, signal);
    show(day);
    if (json !== undefined) await writeFile(json, `${JSON.stringify({ machine, drops, seed, ...day }, null, 1)}\n`);
    const { faults } = day.account;
    if (faults.length > 0)
      throw new PartloopError(
        'data-invalid',
        `the account of the day has ${faults.length} faults; the first: ${faults[0]}`,
      );
  } finally {
    if (keep) say(`The stack goes on: PARTLOOP_HOME=${home} npx partloop status; npx partloop down stops it.`);
    else {
      await stopStack();
      await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    }
  }
}

async function theDay(
  home: string,
  { drops, iterations, seed }: Pick<Options, 'drops' | 'iterations' | 'seed'>,
  signal: AbortSignal,
): Promise<Day> {
  say('drawing cars …');
  const cars = await drawCars(seed, SIZE, { train: drops * MOST_CARS, val: VAL_CARS, test: TEST_CARS });
  const plan = await planDay(cars, drops, iterations);
  const env = await ensureStack({ signal });
  const store = storeOf(env);
  await makePool(store, join(home, 'made-up'), cars);
  const client = await connect(env);
  const startedAt = performance.now();
  try {
    await beginLoop(client, plan.newImages, seed);
    const repairs = await playDay({ store, client, signal }, plan);
    const seconds = Math.round((performance.now() - startedAt) / 1_000);
    const there = await readThere(store, client, POOL, LOOP);
    return { ledger: plan.ledger, there, repairs, account: account(plan.ledger, there, plan.newImages), seconds };
  } finally {
    await client.connection.close();
  }
}

function show({ ledger, there, repairs, account: { lines, waits, faults }, seconds }: Day): void {
  const kinds = [...new Set(ledger.drops.map(({ kind }) => kind))];
  const drops = kinds.map((kind) => ({ kind, drops: ledger.drops.filter((drop) => drop.kind === kind).length }));
  printText(`\n${markdownTable(drops)}`);
  printText(`\n${markdownTable(lines.map(({ what, sent, there: found }) => ({ what, sent, 'are there': found })))}`);
  const waited = new Map(waits.map((wait) => [wait.iteration, wait.seconds]));
  const rows = there.iterations.map(({ iteration, images, startedAt, endedAt, failedAttempts, gate, miou }) => ({
    ...{ iteration, images: images.length, 'failed before': failedAttempts },
    seconds: fixed((Date.parse(endedAt) - Date.parse(startedAt)) / 1_000, 0),
    'waited, s': fixed(waited.get(iteration), 1),
    ...{ gate, mIoU: fixed(miou) },
  }));
  printText(`\n${markdownTable(rows)}`);
  for (const { iteration, error, update } of repairs)
    printText(`\niteration ${iteration} failed: ${error}\n  repaired; update ${update.name} with ${update.input}`);
  const longest = Math.max(0, ...waits.map((wait) => wait.seconds));
  printText(`\nlongest wait of an iteration that could begin: ${longest.toFixed(1)} s; the day took ${seconds} s`);
  for (const fault of faults) printLine(`FAULT: ${fault}`);
  if (faults.length === 0) printLine('Everything that was sent is accounted for.');
}
