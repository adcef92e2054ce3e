import assert from 'node:assert/strict';
import fc from 'fast-check';
import { PartloopError } from '../../../domain/base/errors.js';
import { loopConfigSchema } from '../../../domain/config.js';
import {
  begun,
  carried,
  ended,
  type LoopMachine,
  looked,
  loopMachine,
  nextDeed,
  poolGrew,
  prepared,
  told,
  wasRead,
} from '../../../domain/loop/machine.js';
import { failedIteration, runAgain, setPaused, start, stop } from '../../../domain/loop/requests.js';
import { phaseOf } from '../../../domain/loop/status.js';
import type { IterationRow } from '../../../domain/messages.js';
import { configWith } from '../../../domain/settings/loopConfig.js';

const config = loopConfigSchema.parse({ pool: 'cars' });
const row = (iteration: number, status: 'finished' | 'failed'): IterationRow => ({
  iteration,
  status,
  drawn: null,
  flagged: null,
  sampled: null,
  trainingSet: null,
  leftOut: null,
  miou: null,
  benchmarkMiou: null,
  gate: null,
  seconds: 1,
  error: null,
});

/** The world around a machine: a store, at most one iteration that runs, and what people asked for. */
class World {
  machine: LoopMachine = loopMachine();
  rows: IterationRow[] = [];
  /** The iteration that runs in Temporal, whoever started it. */
  iteration: number | null = null;
  finishedOnce = new Set<number>();
  ran: number[] = [];
  poolVersion = 1;

  next(): number {
    return Math.max(0, ...this.rows.filter(({ status }) => status === 'finished').map((each) => each.iteration)) + 1;
  }

  record(iteration: number, status: 'finished' | 'failed'): void {
    const known = this.rows.findIndex((each) => each.iteration === iteration);
    if (known < 0) this.rows.push(row(iteration, status));
    // A finished iteration stays: a later failure stands beside it.
    else if (this.rows[known]?.status === 'failed') this.rows[known] = row(iteration, status);
    this.rows.sort((a, b) => a.iteration - b.iteration);
  }

  /** Do what the machine wants until it waits or ends. */
  settle(): void {
    for (let deeds = 0; ; deeds++) {
      assert.ok(deeds < 50, 'the machine keeps itself busy without anything happening');
      const deed = nextDeed(this.machine);
      if (deed.kind === 'read') {
        const seen = { next: this.next(), rows: this.rows, proposal: null, config };
        this.machine = wasRead(this.machine, { ...seen, running: this.iteration });
      } else if (deed.kind === 'run') {
        assert.equal(this.machine.running, null);
        this.machine = begun(this.machine, deed.iteration);
        this.machine = prepared(this.machine, deed.iteration, this.machine.config ?? config);
        // Another run of it may be there already, after a termination of the loop: it is joined.
        assert.ok(this.iteration === null || this.iteration === deed.iteration, 'two iterations run at once');
        this.iteration = deed.iteration;
        this.ran.push(deed.iteration);
      } else return;
    }
  }

  end(kind: 'finished' | 'failed' | 'no-images', isTold: boolean): void {
    const { iteration } = this;
    if (iteration === null) return;
    this.iteration = null;
    if (kind !== 'no-images') this.record(iteration, kind);
    if (isTold) this.machine = told(this.machine, { iteration, status: kind, error: null });
    if (this.machine.running?.iteration === iteration)
      this.machine = ended(this.machine, kind === 'failed' ? { kind, error: `iteration ${iteration}: x` } : { kind });
  }
}

type Act = (world: World) => void;
const refusable =
  (act: Act): Act =>
  (world) => {
    const before = world.machine;
    try {
      act(world);
    } catch (error) {
      if (!(error instanceof PartloopError)) throw error;
      assert.equal(world.machine, before, 'what is refused changes nothing');
    }
  };

const iterations = fc.integer({ min: 1, max: 4 });
const acts: fc.Arbitrary<Act> = fc.oneof(
  fc
    .tuple(iterations, fc.option(fc.constantFrom({ seed: 7 }, { chunkSize: 12 }), { nil: undefined }))
    .map(([count, settings]) =>
      refusable((world) => {
        world.machine = start(world.machine, { iterations: count, config, settings: settings ?? {} }).machine;
      }),
    ),
  fc.constant<Act>(
    refusable((world) => {
      world.machine = runAgain(world.machine, {});
    }),
  ),
  fc.integer({ min: 1, max: 6 }).map((iteration) =>
    refusable((world) => {
      world.machine = runAgain(world.machine, { iteration, from: 'train' });
    }),
  ),
  fc.boolean().map<Act>((paused) => (world) => {
    world.machine = setPaused(world.machine, paused);
  }),
  fc.boolean().map<Act>((now) => (world) => {
    world.machine = stop(world.machine, now);
    if (now) world.end('failed', true);
  }),
  fc.constant<Act>((world) => {
    world.poolVersion += 1;
    world.machine = poolGrew(world.machine);
  }),
  fc.constant<Act>((world) => {
    if (world.machine.waiting && !world.machine.paused) world.machine = looked(world.machine, world.poolVersion);
  }),
  fc
    .tuple(
      fc.constantFrom('finished' as const, 'finished' as const, 'failed' as const, 'no-images' as const),
      fc.boolean(),
    )
    .map<Act>(
      ([kind, isTold]) =>
        (world) =>
          world.end(kind, isTold),
    ),
  // An iteration that was reset in the UI finishes once more, or repairs what had failed.
  fc.integer({ min: 1, max: 6 }).map<Act>((iteration) => (world) => {
    if (world.iteration !== null || !world.rows.some((each) => each.iteration === iteration)) return;
    world.record(iteration, 'finished');
    world.machine = told(world.machine, { iteration, status: 'finished', error: null });
  }),
  // The loop is terminated in the UI and started again; its iteration runs on meanwhile.
  fc.constant<Act>((world) => {
    world.machine = loopMachine();
  }),
  // Continue-as-new: only the carried state remains.
  fc.constant<Act>((world) => {
    if (world.machine.running === null) world.machine = loopMachine(JSON.parse(JSON.stringify(carried(world.machine))));
  }),
);

describe('the loop machine', () => {
  it('never spins, never runs two iterations at once, and shows its current phase', () => {
    fc.assert(
      fc.property(fc.array(acts, { maxLength: 40 }), (sequence) => {
        const world = new World();
        for (const act of [() => undefined, ...sequence]) {
          act(world);
          world.settle();
          const { machine } = world;
          const phase = phaseOf(machine);
          const deed = nextDeed(machine);
          if (!machine.paused) assert.equal(machine.running?.iteration ?? null, world.iteration);
          assert.equal(deed.kind === 'end', phase === 'stopped');
          if (machine.running !== null) assert.ok(['running', 'pausing', 'stopping'].includes(phase), phase);
          else assert.ok(['idle', 'paused', 'failed', 'waiting for images', 'stopped'].includes(phase), phase);
          assert.equal(phase === 'failed', machine.failure !== null && phase !== 'paused' && phase !== 'stopped');
          if (phase === 'idle') assert.equal(machine.remaining, 0);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('runs every iteration asked for, despite failures, waits, holds, repairs and continue-as-new', () => {
    fc.assert(
      fc.property(fc.array(acts, { maxLength: 30 }), iterations, (sequence, last) => {
        const world = new World();
        world.settle();
        for (const act of sequence) {
          act(world);
          world.settle();
        }
        // From here nothing goes wrong, and nobody takes anything back.
        world.machine = setPaused(world.machine, false);
        const goesOn = (): void => {
          for (let rounds = 0; rounds < 60; rounds++) {
            world.settle();
            if (world.iteration !== null) world.end('finished', rounds % 2 === 0);
            else if (world.machine.failure !== null) world.machine = runAgain(world.machine, {});
            else if (world.machine.waiting) world.machine = poolGrew(world.machine);
            else return;
          }
          assert.fail('the loop does not come to rest');
        };
        const { remaining, pending, running, again, stopping } = world.machine;
        const promised = stopping === 'no' ? remaining + (pending?.iterations ?? 0) : 0;
        const done = world.next();
        if (stopping === 'no') {
          goesOn();
          const isReplay = (running ?? again) !== null && (running ?? again)?.iteration !== done;
          assert.ok(world.next() - done >= promised, `${promised} were asked for${isReplay ? ' beside a replay' : ''}`);
        } else {
          if (world.iteration !== null) world.end('finished', true);
          world.settle();
        }
        const before = world.next();
        const { machine, outcome } = start(world.machine, { iterations: last, config, settings: {} });
        assert.equal(outcome, 'started');
        world.machine = machine;
        goesOn();
        assert.equal(world.next() - before, last);
        assert.equal(phaseOf(world.machine), 'idle');
      }),
      { numRuns: 500 },
    );
  });

  const idle = (rows: IterationRow[] = [], next = 1): LoopMachine =>
    wasRead(loopMachine(), { next, rows, proposal: null, config });
  const running = (iteration: number, machine = idle()): LoopMachine => begun(machine, iteration);
  const refused = (act: () => unknown, words: RegExp): void =>
    assert.throws(
      act,
      (error: unknown) => error instanceof PartloopError && words.test(`${error.message} ${error.hint}`),
    );

  it('keeps its settings if a start gives none, and puts given ones on top', () => {
    const own = configWith(config, { train: { lrHead: 0.002 }, chunkSize: 9 });
    const asked = { iterations: 1, config, settings: {} };
    const machine = { ...idle(), config: own };
    assert.deepEqual(start(machine, asked).machine.config, own);
    const given = start(machine, { ...asked, settings: { seed: 5 } }).machine.config;
    assert.deepEqual(given, { ...own, seed: 5 });
  });

  it('goes on after a failure with all remaining iterations, whatever count a later start gives', () => {
    const failed = ended(
      { ...running(3, idle([row(2, 'finished')], 3)), remaining: 5 },
      { kind: 'failed', error: 'x' },
    );
    const read = wasRead(failed, { next: 3, rows: [row(3, 'failed')], proposal: null, config });
    const { machine, outcome } = start(read, { iterations: 1, config, settings: {} });
    assert.equal(outcome, 'resumed');
    assert.equal(machine.remaining, 5);
    assert.deepEqual(nextDeed(machine), { kind: 'run', iteration: 3, from: null, settings: null });
  });

  it('refuses another pool, also while an iteration runs', () => {
    const vans = loopConfigSchema.parse({ pool: 'vans' });
    for (const machine of [idle(), { ...running(1), remaining: 1 }])
      refused(
        () => start(machine, { iterations: 1, config: vans, settings: {} }),
        /`cars`, not from `vans`.*another name/,
      );
    refused(() => start(idle(), { iterations: 1, config, settings: { pool: 'vans' } }), /draws from pool `cars`/);
  });

  it('takes a start during a stop as a wish to go on', () => {
    const stopping = stop({ ...running(2, idle([row(1, 'finished')], 2)), remaining: 3 }, false);
    assert.equal(phaseOf(stopping), 'stopping');
    const { machine, outcome } = start(stopping, { iterations: 2, config, settings: {} });
    assert.equal(outcome, 'queued');
    const over = wasRead(ended(machine, { kind: 'finished' }), { next: 3, rows: [], proposal: null, config });
    assert.equal(over.remaining, 2);
    assert.equal(nextDeed(over).kind, 'run');
  });

  it('runs the cancelled iteration again if a start takes back an immediate stop', () => {
    const stopping = stop({ ...running(1), remaining: 1 }, true);
    const { machine } = start(stopping, { iterations: 1, config, settings: {} });
    const over = ended(machine, { kind: 'failed', error: 'cancelled' });
    assert.equal(over.failure, null);
    const read = wasRead(over, { next: 1, rows: [row(1, 'failed')], proposal: null, config });
    assert.deepEqual(nextDeed(read), { kind: 'run', iteration: 1, from: null, settings: null });
  });

  it('retries a failed iteration, and refuses if none failed', () => {
    refused(() => runAgain(idle([row(1, 'finished')], 2), {}), /nothing failed.*iteration replay/);
    const stored = idle([row(1, 'finished'), row(2, 'failed')], 2);
    assert.equal(failedIteration(stored), 2);
    assert.deepEqual(nextDeed(runAgain(stored, {})), { kind: 'run', iteration: 2, from: null, settings: null });
  });

  it('refuses to run an iteration again if it does not exist or one is running, and changes nothing', () => {
    refused(
      () => runAgain(idle([row(1, 'finished')], 2), { iteration: 77, from: 'train' }),
      /no iteration 77.*last one is 1/,
    );
    refused(() => runAgain(idle([row(1, 'finished')], 2), { iteration: 2, from: 'train' }), /no iteration 2/);
    refused(() => runAgain(running(2, idle([row(1, 'finished')], 2)), { iteration: 1 }), /iteration 2 is running/);
    const waits = runAgain(setPaused(idle([row(1, 'finished'), row(2, 'finished')], 3), true), { iteration: 1 });
    refused(() => runAgain(waits, { iteration: 2 }), /iteration 1 waits/);
    refused(() => runAgain(idle([row(1, 'finished')], 2), { iteration: 1, settings: { speed: 9 } }), /`speed`/);
    const kept = { iteration: 1, from: 'evaluate' as const, settings: { train: { lrHead: 0.1 } } };
    refused(() => runAgain(idle([row(1, 'finished')], 2), kept), /setting of the step train.*Replay from train/);
  });

  it('adds a joined start to the waiting request', () => {
    let machine: LoopMachine = { ...running(1), remaining: 1 };
    machine = start(machine, { iterations: 1, config, settings: { seed: 2 } }).machine;
    const joined = start(machine, { iterations: 3, config, settings: { chunkSize: 5 } });
    assert.equal(joined.outcome, 'joined');
    assert.deepEqual(joined.machine.pending, { iterations: 3, settings: { seed: 2, chunkSize: 5 } });
    const next = wasRead(ended(joined.machine, { kind: 'finished' }), { next: 2, rows: [], proposal: null, config });
    assert.deepEqual([next.config?.seed, next.config?.chunkSize, next.remaining], [2, 5, 3]);
  });

  it('counts an iteration that already runs as the first one that a start asks for', () => {
    const seen = { next: 1, rows: [], proposal: null, config, running: 1 };
    for (const isUnderWay of [false, true]) {
      const found = wasRead(loopMachine(), seen);
      const { machine, outcome } = start(isUnderWay ? begun(found, 1) : found, { iterations: 2, config });
      assert.deepEqual([outcome, machine.remaining, machine.pending], ['started', 2, null]);
      const later = start(begun(machine, 1), { iterations: 1, config });
      assert.deepEqual([later.outcome, later.machine.pending?.iterations], ['queued', 1]);
    }
    // A replay of an older iteration does not count as one to come.
    const replayed = begun(wasRead(loopMachine(), { ...seen, next: 3 }), 1);
    assert.equal(start(replayed, { iterations: 2, config }).outcome, 'queued');
  });

  it('runs no iteration per hour while it waits for images: only a new version of the pool starts one', () => {
    const waiting = wasRead(ended({ ...running(1), remaining: 1 }, { kind: 'no-images' }), {
      ...{ next: 1, rows: [], proposal: null, config },
    });
    assert.equal(phaseOf(waiting), 'waiting for images');
    const first = looked(waiting, 4);
    assert.equal(nextDeed(first).kind, 'run');
    const again = ended(begun(first, 1), { kind: 'no-images' });
    assert.equal(looked(again, 4).waiting, true);
    assert.equal(looked(again, 5).waiting, false);
  });

  it('reads the state that the previous version carried through continue-as-new', () => {
    const before = { config, remaining: 3, pending: { iterations: 2, config }, paused: true };
    const machine = loopMachine(before);
    assert.deepEqual([machine.remaining, machine.paused, machine.pending?.iterations], [3, true, 2]);
  });
});
