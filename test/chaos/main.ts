import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command, InvalidArgumentError } from 'commander';
import { printLine, printTable, say } from '../../cli/terminal/output.js';
import { FAULT_KINDS, type FaultKind } from './faults/fault.js';
import { faultsOf } from './faults/index.js';
import { USUAL } from './loop.js';
import { type ChaosReport, newJournal, runChaos } from './run.js';

/** A loop under faults needs about so long; none begins later than this before the end. */
const LOOP_MS = 90_000;
/** Nothing breaks any more in a loop that has been disturbed for so long, so that it comes to its end. */
const DISTURBED_MS = 5 * 60_000;

const positive = (text: string): number => {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('a number above 0 is needed');
  return value;
};

const listed = (text: string): FaultKind[] =>
  text.split(',').map((name) => {
    const kind = FAULT_KINDS.find((each) => each === name.trim());
    if (kind === undefined)
      throw new InvalidArgumentError(`there is no kind ${name}; kinds: ${FAULT_KINDS.join(', ')}`);
    return kind;
  });

const program = new Command('npm run chaos --')
  .description(
    'Break everything at random while a loop runs, and compare with an undisturbed one. Exit 1 on a difference.',
  )
  .option('--minutes <n>', 'How long loops are disturbed; the one under way then comes to its end', positive, 10)
  .option('--seed <n>', 'Draws victims and times', positive, 1)
  .option('--iterations <n>', 'Iterations of each loop', positive, USUAL.iterations)
  .option('--kinds <list>', `Kinds of faults, all if omitted: ${FAULT_KINDS.join(', ')}`, listed)
  .parse();
const {
  minutes,
  seed,
  iterations,
  kinds = FAULT_KINDS,
} = program.opts<{
  minutes: number;
  seed: number;
  iterations: number;
  kinds?: FaultKind[];
}>();

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => interrupted.abort(new Error(`interrupted by ${signal}`)));

const end = Date.now() + minutes * 60_000;
const journal = newJournal(tmpdir(), seed, say);
try {
  const report = await runChaos({
    ...{ size: { ...USUAL, iterations }, seed, faults: faultsOf(kinds), journal, signal: interrupted.signal },
    goesOn: (rounds) => rounds === 0 || Date.now() + LOOP_MS < end,
    async disturb(injector, { signal }) {
      const ended = sleep(Math.max(LOOP_MS, Math.min(DISTURBED_MS, end - Date.now())), undefined, { signal });
      void ended.catch(() => undefined).then(() => injector.stop());
      await injector.run();
    },
  });
  print(report);
  const isWell = report.loops.every(({ differences }) => differences.length === 0) && report.leftBehind.length === 0;
  process.exitCode = interrupted.signal.aborted ? 130 : isWell ? 0 : 1;
} catch (error) {
  printLine(error instanceof Error ? error.message : String(error));
  process.exitCode = interrupted.signal.aborted ? 130 : 1;
}
// A connection to a frozen server may still wait for its end.
process.exit();

function print({ undisturbed, loops, leftBehind }: ChaosReport): void {
  const all = loops.flatMap(({ injected, differences }) =>
    injected.map((each) => ({ ...each, survived: differences.length === 0 })),
  );
  const names = [...new Set(all.map(({ kind, target }) => `${kind} ${target}`))].sort();
  printTable(
    names.map((name) => {
      const own = all.filter(({ kind, target }) => `${kind} ${target}` === name);
      const injected = own.filter(({ did }) => did !== null);
      return {
        fault: name,
        injected: String(injected.length),
        survived: String(injected.filter(({ survived }) => survived).length),
        'nothing to hit': String(own.length - injected.length),
      };
    }),
  );
  for (const [index, { differences, met }] of loops.entries()) {
    const verdict = differences.length === 0 ? 'same as undisturbed' : `DIFFERS: ${differences.join('; ')}`;
    printLine(`Loop ${index + 1} (${undisturbed.iterations.length} iterations): ${verdict}`);
    for (const { sentence, did } of met) printLine(`  a person read: ${sentence}\n  and did: ${did}`);
  }
  printLine(leftBehind.length === 0 ? 'No process is left behind.' : `Left behind:\n${leftBehind.join('\n')}`);
  printLine(`Every fault with its time: ${journal.path}`);
}
