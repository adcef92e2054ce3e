import { setTimeout as sleep } from 'node:timers/promises';
import { shuffle } from '../../domain/base/random.js';
import { between, type Fault, type FaultKind, type World } from './faults/fault.js';
import { AccountError } from './outcome/account.js';
import { stepUnderWay } from './progress.js';

export interface Injected {
  kind: FaultKind;
  target: string;
  /** null if there was nothing to hit, or the fault itself could not be done. */
  did: string | null;
}

/** Steps that last so short a time that a fault at any moment would hardly ever meet them. */
const SHORT_STEPS: readonly string[] = ['sample', 'evaluate', 'decide', 'tune', 'report'];
const AIMED_SHARE = 0.6;
/** What is over too late, or does too little, to be aimed at a step of a second. */
const NEVER_AIMED: readonly FaultKind[] = ['restart', 'start', 'schedule', 'damage', 'delete', 'disk-full'];
const LOOK_MS = 150;

/**
 * Injects faults until it is told to stop: one after another at drawn times, each from a bag that holds every fault
 * once, and beside them one at most of the short steps that a loop comes to. Faults may overlap.
 */
export class Injector {
  readonly injected: Injected[] = [];
  readonly #world: World;
  readonly #faults: readonly Fault[];
  readonly #underWay = new Set<Promise<void>>();
  readonly #stopped = new AbortController();
  /** When something was last broken or mended. */
  lastAt = Date.now();
  #bag: Fault[] = [];
  #calm: Promise<unknown> | null = null;

  constructor(world: World, faults: readonly Fault[]) {
    this.#world = world;
    this.#faults = faults;
  }

  /** Until `stop`; then everything that was broken is whole again. */
  async run(): Promise<void> {
    await Promise.all([this.#atDrawnTimes(), this.#inShortSteps()]);
    await this.#settled();
  }

  stop(): void {
    this.#stopped.abort();
  }

  /** Do something while nothing is broken and nothing breaks. */
  async calm<T>(work: () => Promise<T>): Promise<T> {
    while (this.#calm !== null) await this.#calm;
    const done = this.#settled().then(work);
    this.#calm = done.catch(() => undefined);
    try {
      return await done;
    } finally {
      this.#calm = null;
    }
  }

  /** One fault, and its line in the journal. */
  async inject(fault: Fault): Promise<void> {
    const { kind, target } = fault;
    const { journal } = this.#world;
    journal.note('fault', { kind, target, during: await this.#step() });
    const done = fault.inject(this.#world).then(
      (did) => {
        this.injected.push({ kind, target, did });
        journal.note(did === null ? 'nothing hit' : 'fault over', { kind, target, did });
      },
      (error: unknown) => {
        // A fault that needs a server which another fault has ended, mostly; what the loop owes is told by whoever
        // attends it.
        this.injected.push({ kind, target, did: null });
        journal.note('fault not done', { kind, target, why: error instanceof Error ? error.message : String(error) });
        if (error instanceof AccountError) throw error;
      },
    );
    this.#underWay.add(done);
    await done.finally(() => {
      this.#underWay.delete(done);
      this.lastAt = Date.now();
    });
  }

  /** Whether no fault is under way. */
  get isCalm(): boolean {
    return this.#underWay.size === 0;
  }

  get #isOver(): boolean {
    return this.#stopped.signal.aborted || this.#world.signal.aborted;
  }

  async #atDrawnTimes(): Promise<void> {
    const { random } = this.#world;
    while (!this.#isOver) {
      await this.#pause(between(random, 2_000, 12_000));
      if (this.#isOver) return;
      await this.#beside(this.#drawn());
    }
  }

  async #inShortSteps(): Promise<void> {
    const { random, home, loop, iterations } = this.#world;
    const aimed = this.#faults.filter(({ kind }) => !NEVER_AIMED.includes(kind));
    const met = new Set<string>();
    while (!this.#isOver && aimed.length > 0) {
      await this.#pause(LOOK_MS);
      const now = await home.withClient((client) => stepUnderWay(client, loop, iterations)).catch(() => null);
      const name = `${now?.iteration} ${now?.step}`;
      if (now === null || met.has(name) || !SHORT_STEPS.includes(now.step)) continue;
      met.add(name);
      const fault = aimed[Math.floor(random() * aimed.length)];
      if (fault === undefined || random() > AIMED_SHARE) continue;
      await this.#pause(between(random, 0, 700));
      await this.#beside(fault);
    }
  }

  /** Started, not waited for, unless a person asked for calm. */
  async #beside(fault: Fault): Promise<void> {
    while (this.#calm !== null) await this.#calm;
    if (!this.#isOver) void this.inject(fault).catch((error: unknown) => this.#failed(error));
  }

  /** Why a start was answered wrongly; the round fails with it. */
  failure: unknown = null;

  #failed(error: unknown): void {
    this.failure ??= error;
  }

  #drawn(): Fault {
    if (this.#bag.length === 0) this.#bag = shuffle(this.#faults, this.#world.random);
    const fault = this.#bag.pop();
    if (fault === undefined) throw new Error('there are no faults to draw from');
    return fault;
  }

  async #settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
  }

  async #step(): Promise<string> {
    const { home, loop, iterations } = this.#world;
    const ask = home.withClient((client) => stepUnderWay(client, loop, iterations)).catch(() => null);
    const now = await Promise.race([ask, sleep(700, null)]);
    return now === null ? 'not known' : `${now.step} of iteration ${now.iteration}`;
  }

  async #pause(milliseconds: number): Promise<void> {
    const signal = AbortSignal.any([this.#stopped.signal, this.#world.signal]);
    await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
  }
}
