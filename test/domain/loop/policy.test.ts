import assert from 'node:assert/strict';
import fc from 'fast-check';
import { PartloopError } from '../../../domain/base/errors.js';
import { loopConfigSchema, type PolicyConfig } from '../../../domain/config.js';
import {
  begun,
  carried,
  counted,
  ended,
  type LoopMachine,
  looked,
  loopMachine,
  nextDeed,
  poolGrew,
  wasRead,
} from '../../../domain/loop/machine.js';
import { setPaused, setPolicy, start } from '../../../domain/loop/requests.js';
import { phaseOf } from '../../../domain/loop/status.js';

const configOf = (policy: Partial<PolicyConfig>) => loopConfigSchema.parse({ pool: 'cars', policy });

/** A loop that has read its store and has nothing to do. */
const idle = (policy: Partial<PolicyConfig>): LoopMachine =>
  wasRead(loopMachine(), { next: 1, rows: [], proposal: null, config: configOf(policy) });

/** A loop, its pool, and the iterations that it ran, each with the images that it could draw. */
class World {
  next = 1;
  ran: { undrawn: number; asked: boolean }[] = [];
  counts = 0;
  undrawn: number;
  machine: LoopMachine;
  /** The next iteration is the first one of a request. */
  private isFirst = false;

  constructor(policy: Partial<PolicyConfig>, undrawn: number) {
    this.machine = idle(policy);
    this.undrawn = undrawn;
  }

  ask(iterations: number): void {
    this.machine = start(this.machine, {
      iterations,
      config: this.machine.config ?? configOf({}),
      settings: {},
    }).machine;
    this.isFirst = true;
  }

  grow(images: number): void {
    this.undrawn += images;
    this.machine = poolGrew(this.machine, 'cars');
  }

  /** Do what the machine wants; every iteration draws all that there is and ends well. */
  settle(): void {
    for (let deeds = 0; ; deeds++) {
      assert.ok(deeds < 100, 'the machine keeps itself busy without anything happening');
      const deed = nextDeed(this.machine);
      if (deed.kind === 'read')
        this.machine = wasRead(this.machine, {
          next: this.next,
          rows: [],
          proposal: null,
          config: this.machine.config,
        });
      else if (deed.kind === 'count') {
        this.counts += 1;
        this.machine = counted(this.machine, this.undrawn);
      } else if (deed.kind === 'run') {
        this.machine = begun(this.machine, deed.iteration);
        if (this.undrawn === 0) this.machine = ended(this.machine, { kind: 'no-images' });
        else {
          this.ran.push({ undrawn: this.undrawn, asked: this.isFirst });
          this.isFirst = false;
          this.undrawn = 0;
          this.next += 1;
          this.machine = ended(this.machine, { kind: 'finished' });
        }
      } else return;
    }
  }
}

describe('the policy of a loop', () => {
  it('begins an iteration that nobody asked for just now only at its number of images', () => {
    const acts = fc.oneof(
      fc.integer({ min: 1, max: 30 }).map((images) => (world: World) => world.grow(images)),
      fc.integer({ min: 1, max: 3 }).map((count) => (world: World) => world.ask(count)),
      fc.constant((world: World) => {
        world.machine = loopMachine(JSON.parse(JSON.stringify(carried(world.machine))));
      }),
      fc.boolean().map((paused) => (world: World) => {
        world.machine = setPaused(world.machine, paused);
      }),
    );
    fc.assert(
      fc.property(
        fc.record({ newImages: fc.integer({ min: 2, max: 40 }), begin: fc.constantFrom('asked', 'by-itself') }),
        fc.array(acts, { maxLength: 30 }),
        (policy, sequence) => {
          const world = new World(policy, 5);
          for (const act of sequence) {
            act(world);
            world.settle();
          }
          for (const { undrawn, asked } of world.ran) assert.ok(asked || undrawn >= policy.newImages, `${undrawn}`);
          world.machine = setPaused(world.machine, false);
          world.settle();
          world.grow(policy.newImages);
          world.settle();
          const isOpen = world.machine.remaining > 0 || policy.begin === 'by-itself';
          if (isOpen) assert.ok(world.undrawn < policy.newImages, 'enough images are left lying');
        },
      ),
      { numRuns: 500 },
    );
  });

  it('runs a request at once, whatever there is to draw, and lets the later iterations wait', () => {
    const world = new World({ newImages: 20 }, 5);
    world.ask(2);
    world.settle();
    assert.deepEqual(
      world.ran.map(({ undrawn }) => undrawn),
      [5],
    );
    assert.equal(phaseOf(world.machine), 'waiting for images');
    world.grow(19);
    world.settle();
    assert.equal(world.ran.length, 1);
    world.grow(1);
    world.settle();
    assert.deepEqual(
      world.ran.map(({ undrawn }) => undrawn),
      [5, 20],
    );
    assert.equal(phaseOf(world.machine), 'idle');
  });

  it('begins by itself, again and again, where it is told so', () => {
    const world = new World({ newImages: 10, begin: 'by-itself' }, 0);
    for (const images of [9, 1, 10, 3]) {
      world.grow(images);
      world.settle();
    }
    assert.deepEqual(
      world.ran.map(({ undrawn }) => undrawn),
      [10, 10],
    );
    assert.equal(phaseOf(world.machine), 'waiting for images');
  });

  it('does not begin by itself after a failure: a person looks first', () => {
    const machine = { ...idle({ newImages: 2, begin: 'by-itself' }), failure: { iteration: 1, error: 'x' } };
    assert.equal(nextDeed(poolGrew(machine, 'cars')).kind, 'wait');
  });

  it('does not count images where any new one will do', () => {
    const world = new World({}, 0);
    world.ask(1);
    world.settle();
    assert.equal(phaseOf(world.machine), 'waiting for images');
    world.grow(1);
    world.settle();
    assert.deepEqual([world.ran.length, world.counts], [1, 0]);
  });

  it('counts again where the pool has another version', () => {
    const waits = { ...idle({ newImages: 5 }), remaining: 1, waiting: true };
    assert.equal(nextDeed(looked(waits, 4)).kind, 'count');
    assert.equal(nextDeed(looked({ ...waits, poolVersion: 4 }, 4)).kind, 'wait');
  });

  it('looks anew at what waits when it changes', () => {
    const waits = { ...idle({ newImages: 50 }), remaining: 1, waiting: true, undrawn: 10 };
    const fewer = setPolicy(waits, { newImages: 10 });
    assert.equal(nextDeed(fewer).kind, 'count');
    assert.equal(nextDeed(counted(fewer, 10)).kind, 'run');
    assert.equal(nextDeed(setPolicy(waits, { newImages: 1 })).kind, 'run');
    assert.equal(nextDeed(setPolicy(idle({}), { newImages: 3, begin: 'by-itself' })).kind, 'count');
  });

  it('needs a loop that has settings', () => {
    assert.throws(
      () => setPolicy(loopMachine(), { newImages: 3 }),
      (error: unknown) => error instanceof PartloopError && error.code === 'refused',
    );
  });
});
