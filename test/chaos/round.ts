import { setTimeout as sleep } from 'node:timers/promises';
import type { ChaosHome } from './chaosHome.js';
import type { Fault, World } from './faults/fault.js';
import { type Injected, Injector } from './injector.js';
import { type ChaosSize, LOOP, startLoopIn } from './loop.js';
import { Account } from './outcome/account.js';
import type { Journal } from './outcome/journal.js';
import { type LoopOutcome, outcomeOf } from './outcome/outcome.js';
import { type Met, Person } from './person.js';

/** One loop from an empty home to its end. */
export interface Round {
  outcome: LoopOutcome;
  injected: Injected[];
  met: Met[];
}

export interface RoundOptions {
  home: ChaosHome;
  manifest: string;
  size: ChaosSize;
  /** Of the loop's iterations, those that are asked for at once; the rest is left to starts among the faults. */
  askedAtOnce: number;
  random: () => number;
  journal: Journal;
  signal: AbortSignal;
  /** What breaks things while the loop runs; it ends by itself, or by `injector.stop`. */
  disturb(injector: Injector, world: World): Promise<void>;
  faults: readonly Fault[];
}

/** @throws Error if the loop does not come to the end that it owes */
export async function runRound(options: RoundOptions): Promise<Round> {
  const { home, manifest, size, journal, random, faults, askedAtOnce } = options;
  const broken = new AbortController();
  const signal = AbortSignal.any([options.signal, broken.signal]);
  let turn: Promise<unknown> = Promise.resolve();
  const account = new Account();
  const world: World = {
    ...{ home, loop: LOOP, iterations: size.iterations, account, journal, random, signal },
    inTurn(work) {
      const mine = turn.then(work);
      turn = mine.catch(() => undefined);
      return mine;
    },
  };
  account.take(askedAtOnce, await startLoopIn(home, manifest, size, askedAtOnce));
  const injector = new Injector(world, faults);
  const person = new Person(
    world,
    (work) => injector.calm(work),
    () => injector.lastAt,
  );
  const disturbance = options.disturb(injector, world);
  try {
    const attended = person.attend();
    await Promise.race([attended, disturbance.then(() => attended)]);
    injector.stop();
    await disturbance;
    if (injector.failure !== null) throw injector.failure;
    await home.up();
    // Longer than a loop needs to begin an iteration that nobody asked for.
    await sleep(1_000);
    return { outcome: await outcomeOf(await home.store(), LOOP), injected: injector.injected, met: person.met };
  } catch (error) {
    // What was broken with it counts too.
    throw new RoundFailedError(error, injector.injected, person.met);
  } finally {
    injector.stop();
    broken.abort();
    await disturbance.catch(() => undefined);
  }
}

/** A loop that did not come to its end, with what had been done to it. */
export class RoundFailedError extends Error {
  constructor(
    cause: unknown,
    readonly injected: Injected[],
    readonly met: Met[],
  ) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = 'RoundFailedError';
  }
}
