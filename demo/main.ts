#!/usr/bin/env node
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { printTable, printText, reportError, say } from '../cli/terminal/output.js';
import { ensureStack, needsLocalStack, runningState, stopStack } from '../infra/environment.js';
import { partloopHome } from '../infra/home.js';
import { type DemoOutcome, runDemo } from './run.js';

const EXIT_INTERRUPTED = 130;
const EXIT_USAGE = 2;

async function main(argv: string[]): Promise<number> {
  const program = new Command('npm run demo --')
    .description('Run the whole loop on made-up cars: three iterations, 15 to 20 minutes on 2 cores')
    .option('--seed <n>', 'Seed of the cars and of the loop', wholeNumber, 1)
    .option('--keep', 'Leave the local stack running at the end')
    .exitOverride();
  try {
    program.parse(argv);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
    throw error;
  }
  const { seed, keep = false } = program.opts<{ seed: number; keep?: boolean }>();
  const wasUp = runningState(partloopHome()) !== null;
  let loop = `demo-${seed}`;
  const abort = new AbortController();
  const interrupt = (): void => abort.abort();
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  try {
    const outcome = await runDemo(await ensureStack(), seed, abort.signal);
    ({ loop } = outcome);
    show(outcome);
    return 0;
  } catch (error) {
    if (!abort.signal.aborted) return reportError(error);
    say('', `Interrupted. \`npm run demo -- --seed ${seed}\` goes on where it stopped.`);
    return EXIT_INTERRUPTED;
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
    await tidy(loop, keep || wasUp || !needsLocalStack());
  }
}

async function tidy(loop: string, keep: boolean): Promise<void> {
  const look = `\`npx partloop up --detach\` starts it; then \`npx partloop report open ${loop}\` and the Temporal UI show this run again.`;
  if (keep) {
    say('The local stack keeps running; `npx partloop down` stops it.');
    return;
  }
  try {
    await stopStack();
    say(`The local stack is stopped. ${look}`);
  } catch (error) {
    reportError(error);
  }
}

function show({ loop, summary, summaryFile, reportFile }: DemoOutcome): void {
  const percent = (value: number | null): string | null => (value === null ? null : `${(value * 100).toFixed(1)} %`);
  printText(`\nWhat algo1 found of the planted errors (loop ${loop}):`);
  printTable(
    summary.detection.map(({ kind, planted, found, precision, recall }) => ({
      kind,
      planted,
      found,
      precision: percent(precision),
      recall: percent(recall),
    })),
  );
  printText('\nIterations, against a benchmark trained on as many random images:');
  printTable(
    summary.iterations.map((row) => ({
      iteration: row.iteration,
      drawn: row.drawn,
      'set aside': row.quarantined,
      'spoiled / set aside / sampled': `${row.spoiled} / ${row.spoiledQuarantined} / ${row.spoiledSampled}`,
      sampled: row.sampled,
      'training set': row.trainingSet,
      mIoU: row.miou,
      major: row.majorMiou,
      minor: row.minorMiou,
      benchmark: row.benchmarkMiou,
      gate: row.gate,
      seconds: Math.round(Object.values(row.seconds).reduce((sum, seconds) => sum + seconds, 0)),
    })),
  );
  const last = summary.iterations.at(-1);
  if (last !== undefined && last.miou !== null && last.benchmarkMiou !== null) {
    printText(
      `\nmIoU after iteration ${last.iteration} minus the benchmark's: ${(last.miou - last.benchmarkMiou).toFixed(4)}`,
    );
  }
  printText(
    `Seconds in all: ${summary.totalSeconds}\nSummary: ${summaryFile}${reportFile === null ? '' : `\nReport:  ${reportFile}`}`,
  );
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError(`\`${text}\` is not a whole number.`);
  return Number(text);
}

process.exitCode = await main(process.argv);
