import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '../../domain/base/random.js';
import { drawCars } from '../support/servers/carStack.js';
import { ChaosHome } from './chaosHome.js';
import type { Fault, World } from './faults/fault.js';
import type { Injected, Injector } from './injector.js';
import type { ChaosSize } from './loop.js';
import { Journal } from './outcome/journal.js';
import { differences, type LoopOutcome } from './outcome/outcome.js';
import type { Met } from './person.js';
import { processesOf } from './processes.js';
import { type Round, RoundFailedError, runRound } from './round.js';

export interface ChaosOptions {
  size: ChaosSize;
  seed: number;
  faults: readonly Fault[];
  /** Whether another loop is to be disturbed; asked before each. */
  goesOn(rounds: number): boolean;
  disturb(injector: Injector, world: World): Promise<void>;
  journal: Journal;
  signal: AbortSignal;
}

/** A loop under faults, against the undisturbed one. */
export interface Compared {
  injected: Injected[];
  met: Met[];
  /** Empty if the outcome is the same. */
  differences: string[];
  outcome: LoopOutcome | null;
}

export interface ChaosReport {
  undisturbed: LoopOutcome;
  loops: Compared[];
  /** Command lines of processes that outlived the run. */
  leftBehind: string[];
}

/**
 * Run a loop once undisturbed, then the same one under faults, each from the same pool and seed in a home of its own,
 * and compare. Whatever ends this, its processes are ended by their ids.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const folder = await mkdtemp(join(tmpdir(), 'partloop-chaos-'));
  const { size, signal, journal } = options;
  try {
    const counts = { train: size.train, val: 4, test: 8 };
    const manifest = await drawCars(folder, { seed: 11, size: size.imageSize, counts });
    const undisturbed = await inHome(options, join(folder, 'undisturbed'), 0, (home) =>
      round(options, home, manifest, 0),
    );
    await writeFile(`${journal.path}.undisturbed.json`, JSON.stringify(undisturbed.outcome));
    journal.note('undisturbed', { iterations: undisturbed.outcome.iterations.length });
    const loops: Compared[] = [];
    while (!signal.aborted && options.goesOn(loops.length)) {
      const number = loops.length + 1;
      const home = join(folder, `disturbed-${number}`);
      loops.push(await compared(options, undisturbed.outcome, home, manifest, number));
      const { injected, met, differences: found } = loops.at(-1) as Compared;
      journal.note('loop', { number, faults: injected.length, sentences: met.length, differences: found });
    }
    return { undisturbed: undisturbed.outcome, loops, leftBehind: await processesOf(folder) };
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

async function compared(
  options: ChaosOptions,
  calm: LoopOutcome,
  path: string,
  manifest: string,
  number: number,
): Promise<Compared> {
  try {
    const isSame = ({ outcome }: Round): boolean => differences(calm, outcome).length === 0;
    const { outcome, injected, met } = await inHome(
      options,
      path,
      number,
      (home) => round(options, home, manifest, number),
      isSame,
    );
    return { outcome, injected, met, differences: differences(calm, outcome) };
  } catch (error) {
    if (!(error instanceof RoundFailedError)) throw error;
    const { injected, met } = error;
    const message = options.signal.aborted ? 'interrupted before its end' : error.message;
    return { outcome: null, injected, met, differences: [message] };
  }
}

/** A home that is gone afterwards; one whose loop did not come out as it should stays beside the journal. */
async function inHome(
  { seed, faults, journal, signal }: ChaosOptions,
  path: string,
  number: number,
  work: (home: ChaosHome) => Promise<Round>,
  isWell: (round: Round) => boolean = () => true,
): Promise<Round> {
  const wantsDisks = number > 0 && faults.some(({ kind }) => kind === 'disk-full');
  const home = await ChaosHome.make(path, seededRandom('chaos', 'proxy', seed, number), wantsDisks);
  let kept: string | null = `${journal.path}.home-${number}`;
  try {
    const done = await work(home);
    if (isWell(done)) kept = null;
    return done;
  } finally {
    await home.remove(signal.aborted ? null : kept);
    if (kept !== null && !signal.aborted) journal.note('home kept', { path: kept });
  }
}

function round(options: ChaosOptions, home: ChaosHome, manifest: string, number: number): Promise<Round> {
  const { size, seed, faults, journal, signal } = options;
  const isCalm = number === 0;
  const random = seededRandom('chaos', 'faults', seed, number);
  return runRound({
    ...{ home, manifest, size, random, journal, signal, faults: isCalm ? [] : faults },
    askedAtOnce: isCalm ? size.iterations : 1,
    disturb: isCalm ? async () => {} : options.disturb,
  });
}

export const newJournal = (folder: string, seed: number, say: (text: string) => void): Journal =>
  new Journal(join(folder, `partloop-chaos-${seed}-${process.pid}.jsonl`), say);
