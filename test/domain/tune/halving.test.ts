import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  cyclesOf,
  fitsInto,
  type HalvingSettings,
  nextJob,
  rungEnd,
  type Trial,
  winner,
} from '../../../domain/tune/halving.js';
import { newTrial } from '../../../domain/tune/trials.js';

const settingsArbitrary = fc.record({
  trials: fc.integer({ min: 2, max: 20 }),
  reduction: fc.integer({ min: 2, max: 4 }),
  rungs: fc.integer({ min: 1, max: 4 }),
});

/** A whole search by one or more lanes; a trial's worth is its value at every rung, negative ones fail. */
function search(
  settings: HalvingSettings,
  worth: (trial: number) => number,
  lanes = 1,
): { trials: Trial[]; jobs: string[] } {
  const trials = [newTrial(0, {})];
  const jobs: string[] = [];
  const running: { trial: Trial; rung: number }[] = [];
  for (let step = 0; step < 10_000; step++) {
    const job = nextJob(trials, settings);
    if (job.kind === 'propose') trials.push(newTrial(trials.length, { lrHead: 0.001 }));
    else if (job.kind === 'train' && running.length < lanes) {
      const trial = trials[job.trial] as Trial;
      trial.running = true;
      running.push({ trial, rung: job.rung });
      jobs.push(`${job.trial}:${job.rung}`);
      if (running.length < lanes) continue;
    }
    if (job.kind === 'done') {
      assert.equal(running.length, 0);
      return { trials, jobs };
    }
    const ended = running.shift();
    if (ended === undefined) {
      assert.equal(job.kind, 'propose');
      continue;
    }
    assert.equal(ended.trial.values.length, ended.rung, 'a rung follows the one below it');
    ended.trial.running = false;
    const value = worth(ended.trial.trial);
    if (value < 0) ended.trial.error = 'it failed';
    else ended.trial.values.push(value);
  }
  throw new Error('the search never ends');
}

describe('successive halving', () => {
  it('ends, tries every trial once per rung, and takes the loop’s own settings through all rungs', () => {
    const worth = fc.func(fc.double({ min: 0, max: 1, noNaN: true }));
    fc.assert(
      fc.property(settingsArbitrary, worth, fc.integer({ min: 1, max: 3 }), (settings, of, lanes) => {
        const { trials, jobs } = search(settings, of, lanes);
        assert.equal(trials.length, settings.trials);
        assert.equal(new Set(jobs).size, jobs.length);
        assert.equal(trials[0]?.values.length, settings.rungs);
        assert.ok(trials.every(({ values }) => values.length >= 1));
      }),
    );
  });

  it('drops none of the best 1/reduction of a rung', () => {
    fc.assert(
      fc.property(settingsArbitrary, fc.func(fc.double({ min: 0, max: 1, noNaN: true })), (settings, worth) => {
        const others = search(settings, worth).trials.slice(1);
        for (let rung = 0; rung < settings.rungs - 1; rung++) {
          const measured = others.filter(({ values }) => values.length > rung);
          const best = measured
            .sort((a, b) => (b.values[rung] ?? 0) - (a.values[rung] ?? 0) || a.trial - b.trial)
            .slice(0, Math.floor(measured.length / settings.reduction));
          assert.ok(best.every(({ values }) => values.length > rung + 1));
        }
      }),
    );
  });

  it('trains fewer trials from rung to rung if later ones are no better', () => {
    const { trials } = search({ trials: 9, reduction: 2, rungs: 3 }, (trial) => 1 - trial / 10);
    const reached = [0, 1, 2].map((rung) => trials.filter(({ values }) => values.length > rung).length);
    // Eight beside the loop's own settings: all, half, a quarter.
    assert.deepEqual(reached, [9, 5, 3]);
  });

  it('finds the best trial if each trial has the same score at every rung', () => {
    const settings = { trials: 9, reduction: 2, rungs: 3 };
    const worth = (trial: number): number => [0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8, 0.1, 0.9][trial] ?? 0;
    const { trials } = search(settings, worth);
    assert.equal(winner(trials, settings.rungs, 0.005)?.trial, 8);
  });

  it('goes on without a failed trial, and ends if the loop’s own settings failed', () => {
    const settings = { trials: 5, reduction: 2, rungs: 2 };
    const { trials } = search(settings, (trial) => (trial === 2 ? -1 : 0.5));
    assert.equal(trials.length, 5);
    assert.equal(trials[2]?.error, 'it failed');
    assert.equal(winner(trials, 2, 0)?.trial, 1);
    assert.equal(
      winner(
        [
          { ...newTrial(0, {}), error: 'it failed' },
          { ...newTrial(1, {}), values: [1, 1] },
        ],
        2,
        0,
      ),
      null,
    );
  });

  it('proposes only settings that are better by the required gain', () => {
    const own = { ...newTrial(0, {}), values: [0.5] };
    const other = { ...newTrial(1, {}), values: [0.504] };
    assert.equal(winner([own, other], 1, 0.005), null);
    assert.equal(winner([own, other], 1, 0.003)?.trial, 1);
  });

  it('ends every rung after whole cycles, within the longest length', () => {
    fc.assert(
      fc.property(settingsArbitrary, fc.integer({ min: 64, max: 100_000 }), (settings, iterations) => {
        const cycle = rungEnd(0, iterations, settings);
        const last = rungEnd(settings.rungs - 1, iterations, settings);
        assert.equal(last, cycle * cyclesOf(settings));
        assert.ok(last <= Math.max(iterations, cyclesOf(settings)) && last > iterations - cyclesOf(settings));
        for (let rung = 1; rung < settings.rungs; rung++)
          assert.equal(
            rungEnd(rung, iterations, settings),
            rungEnd(rung - 1, iterations, settings) * settings.reduction,
          );
      }),
    );
  });

  it('starts nothing that would not end in the remaining hours at the pace so far', () => {
    assert.equal(fitsInto(1, 1_000, { iterations: 0, seconds: 0 }), true);
    assert.equal(fitsInto(0, 1, { iterations: 0, seconds: 0 }), false);
    assert.equal(fitsInto(1, 3_600, { iterations: 100, seconds: 100 }), true);
    assert.equal(fitsInto(1, 3_601, { iterations: 100, seconds: 100 }), false);
  });
});
