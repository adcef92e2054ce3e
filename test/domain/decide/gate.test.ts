import assert from 'node:assert/strict';
import fc from 'fast-check';
import { seededRandom } from '../../../domain/base/random.js';
import { gateConfigSchema } from '../../../domain/config.js';
import {
  type Decision,
  EMPTY_REGISTRY,
  type RegisteredModel,
  rivalOf,
  withApproval,
  withBenchmark,
  withLook,
} from '../../../domain/decide/decision.js';
import { decideGate, type GateRequest } from '../../../domain/decide/gate.js';
import { normalCdf, normalQuantile } from '../../../domain/decide/normal.js';
import { spentAlpha, wearOf, wearText } from '../../../domain/decide/spending.js';
import type { EvaluationRow } from '../../../domain/tables.js';
import { NO_TAGS } from '../../../domain/tags.js';
import { idOf, TAXONOMY } from '../sample/rows.js';

/** Evaluations of `count` images whose classes are right in about the given share of their pixels. */
function evaluations(
  count: number,
  quality: readonly number[],
  noise = 0.05,
  seed = 'a',
  tags: Partial<EvaluationRow> = {},
): EvaluationRow[] {
  const scene = seededRandom('scene');
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, n) => {
    const confusion: number[] = [];
    const boundary: number[] = [];
    quality.forEach((level, index) => {
      const label = index + 1;
      const pixels = 200 + Math.floor(scene() * 800);
      const right = Math.round(pixels * Math.min(1, Math.max(0, level + noise * (random() - 0.5))));
      if (right > 0) confusion.push(label, label, right);
      if (pixels > right) confusion.push(label, 0, pixels - right);
      boundary.push(label, Math.round(right / 5), Math.round(pixels / 5));
    });
    return {
      imageId: idOf(n),
      fileName: `${n}.jpg`,
      vehicleId: `v${Math.floor(n / 2)}`,
      ...NO_TAGS,
      ...tags,
      confusion,
      boundary,
      imageMiou: 0.5,
      calibration: null,
    };
  });
}

const request = (
  candidate: EvaluationRow[],
  benchmark: EvaluationRow[],
  fields: Partial<GateRequest> = {},
): GateRequest => ({
  candidate,
  benchmark,
  leftOut: [],
  taxonomy: TAXONOMY,
  config: gateConfigSchema.parse({ resamples: 400 }),
  look: 1,
  trainedVehicles: null,
  seed: 1,
  ...fields,
});

const GOOD = [0.8, 0.8, 0.8];

describe('the gate', () => {
  it('promotes a model that is surely better', () => {
    const verdict = decideGate(request(evaluations(100, [0.85, 0.86, 0.85], 0.05, 'b'), evaluations(100, GOOD)));
    assert.equal(verdict.outcome, 'promoted');
    assert.ok(verdict.lower > 0 && verdict.lower < verdict.gain && verdict.gain < verdict.upper);
    assert.equal(verdict.units, 50);
  });

  it('blocks a model that is known to be bad, whatever the seed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000 }), fc.double({ min: 0.05, max: 0.7, noNaN: true }), (seed, drop) => {
        const verdict = decideGate(
          request(
            evaluations(
              60,
              GOOD.map((level) => level - drop),
              0.1,
              `s${seed}`,
            ),
            evaluations(60, GOOD),
            { seed },
          ),
        );
        assert.equal(verdict.outcome, 'rejected');
      }),
      { numRuns: 20 },
    );
  });

  it('decides on the images that both models were judged on, and says how many it left out and why', () => {
    const mine = evaluations(60, [0.85, 0.86, 0.85], 0.05, 'b');
    const theirs = evaluations(60, GOOD);
    const some = fc.uniqueArray(fc.integer({ min: 0, max: 59 }), { maxLength: 6 });
    fc.assert(
      fc.property(some, some, (goneForMine, goneForTheirs) => {
        const kept = (rows: EvaluationRow[], gone: number[]) => rows.filter((_, n) => !gone.includes(n));
        const all = [...new Set([...goneForMine, ...goneForTheirs])];
        const leftOut = all.map((n) => ({ imageId: idOf(n), fileName: `${n}.jpg`, kind: 'gone' as const, reason: '' }));
        const apart = decideGate(request(kept(mine, goneForMine), kept(theirs, goneForTheirs), { leftOut }));
        const both = decideGate(request(kept(mine, all), kept(theirs, all), { leftOut }));
        assert.deepEqual(apart, both);
        assert.deepEqual([apart.images, apart.leftOut.length], [60 - all.length, all.length]);
        const said = `compared on ${60 - all.length} of 60 test images; left out: ${all.length} gone`;
        assert.equal(apart.reasons.includes(said), all.length > 0);
      }),
      { numRuns: 20 },
    );
  });

  it('does not promote a model over itself', () => {
    const rows = evaluations(80, GOOD);
    const verdict = decideGate(request(rows, rows));
    assert.equal(verdict.outcome, 'held');
    assert.equal(verdict.gain, 0);
    assert.ok(verdict.slices.filter((slice) => slice.units >= 20).every((slice) => slice.outcome === 'pass'));
  });

  it('seldom promotes one of two equally good models', () => {
    let promoted = 0;
    for (let seed = 0; seed < 60; seed++) {
      const verdict = decideGate(
        request(evaluations(60, GOOD, 0.4, `x${seed}`), evaluations(60, GOOD, 0.4, `y${seed}`), {
          seed,
          config: gateConfigSchema.parse({ resamples: 200 }),
        }),
      );
      if (verdict.outcome === 'promoted') promoted++;
    }
    assert.ok(promoted <= 6, `${promoted} of 60`);
  });

  it('rejects a better mean if a protected slice pays for it', () => {
    const verdict = decideGate(
      request(evaluations(100, [0.99, 0.99, 0.5], 0.05, 'b'), evaluations(100, [0.7, 0.7, 0.8])),
    );
    assert.ok(verdict.gain > 0);
    assert.equal(verdict.outcome, 'rejected');
    assert.equal(verdict.slices.find((slice) => slice.name === 'minor parts')?.outcome, 'fail');
  });

  it('rejects a model whose recall of one class fell to zero', () => {
    const verdict = decideGate(
      request(evaluations(100, [0.95, 0.95, 0], 0, 'b'), evaluations(100, [0.6, 0.6, 0.05], 0)),
    );
    assert.equal(verdict.outcome, 'rejected');
    assert.deepEqual(verdict.lostClasses, ['mirror']);
  });

  it('says when there is not enough data, overall and in a slice', () => {
    const few = decideGate(request(evaluations(30, [0.9, 0.9, 0.9], 0.05, 'b'), evaluations(30, GOOD)));
    assert.equal(few.outcome, 'not-enough-data');
    const zoomed = decideGate(request(evaluations(100, [0.9, 0.9, 0.9], 0.05, 'b'), evaluations(100, GOOD)));
    assert.equal(zoomed.slices.find((slice) => slice.name === 'zoomed')?.outcome, 'not-enough-data');
    assert.equal(zoomed.outcome, 'promoted');
  });

  it('tests vehicle types that the model never saw', () => {
    const tags = { vehicle: 'van' } as const;
    const verdict = decideGate(
      request(evaluations(100, [0.5, 0.5, 0.5], 0.05, 'b', tags), evaluations(100, GOOD, 0.05, 'a', tags), {
        trainedVehicles: new Set(['sedan']),
      }),
    );
    assert.equal(verdict.slices.find((slice) => slice.name === 'unseen vehicle types')?.outcome, 'fail');
  });

  it('waits for a person if the settings ask for approval', () => {
    const verdict = decideGate(
      request(evaluations(100, [0.9, 0.9, 0.9], 0.05, 'b'), evaluations(100, GOOD), {
        config: gateConfigSchema.parse({ mode: 'approve', resamples: 400 }),
      }),
    );
    assert.equal(verdict.outcome, 'held');
    assert.ok(verdict.lower > 0);
  });

  it('spends at most alpha over any number of looks, and the same at each planned one', () => {
    const settings = fc.record({
      alpha: fc.double({ min: 0.001, max: 0.49, noNaN: true }),
      planned: fc.integer({ min: 1, max: 1_000 }),
      looks: fc.integer({ min: 1, max: 5_000 }),
    });
    fc.assert(
      fc.property(settings, ({ alpha, planned, looks }) => {
        const spent = Array.from({ length: looks }, (_, index) => spentAlpha(alpha, index + 1, planned));
        assert.ok(spent.reduce((sum, value) => sum + value, 0) <= alpha * (1 + 1e-9));
        assert.ok(spent.every((value, index) => value > 0 && value <= (spent[Math.max(0, index - 1)] as number)));
        assert.equal(new Set(spent.slice(0, planned)).size, 1);
      }),
    );
  });

  it('never promotes a candidate that equals the benchmark, at any look', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 0, max: 1_000 }), (look, seed) => {
        const rows = evaluations(60, GOOD, 0.4, `s${seed}`);
        assert.notEqual(decideGate(request(rows, rows, { look, seed })).outcome, 'promoted');
      }),
      { numRuns: 20 },
    );
  });

  it('says how many looks are used and left, and when fresh test images are needed', () => {
    const rows = evaluations(60, GOOD);
    const said = (look: number) => decideGate(request(rows, rows, { look })).reasons.at(-1);
    assert.equal(said(13), 'look 13 of 30 planned ones at this test set; 17 are left');
    assert.match(said(30) ?? '', /the last planned one: it needs fresh test images/);
    assert.match(said(31) ?? '', /is worn: look 31 of 30 planned ones.*fresh test images/);
    assert.equal(said(31), wearText(wearOf(31, 30)));
  });

  it('decides the same for any order of images', () => {
    const candidate = evaluations(60, [0.82, 0.8, 0.81], 0.2, 'b');
    const benchmark = evaluations(60, GOOD, 0.2);
    assert.deepEqual(decideGate(request(candidate.toReversed(), benchmark)), decideGate(request(candidate, benchmark)));
  });
});

describe('the benchmark registry', () => {
  const model = (n: number): RegisteredModel => ({
    scan: `m${n}`,
    card: `c${n}`,
    digest: idOf(n),
    loop: 'cars',
    iteration: n,
  });

  it('compares a repeated decision with the same rival as before', () => {
    const first = withBenchmark(EMPTY_REGISTRY, model(1), 'first', 'now');
    const second = withBenchmark(first, model(2), 'better', 'now');
    assert.deepEqual(rivalOf(first, model(2)), model(1));
    assert.deepEqual(rivalOf(second, model(2)), model(1));
    assert.equal(rivalOf(first, model(1)), null);
    assert.equal(withBenchmark(second, model(2), 'again', 'later'), second);
  });

  it('takes the candidate that a person approves, once, with that person’s name', () => {
    const first = withBenchmark(EMPTY_REGISTRY, model(1), 'first', 'now');
    const waiting = decision({ candidate: model(2), benchmark: model(1), pendingApproval: true });
    const approved = withApproval(first, waiting, 'Kim', 'later');
    assert.deepEqual(approved.model, model(2));
    assert.deepEqual(approved.history.at(-1), { model: model(2), at: 'later', reason: 'approved by Kim' });
    assert.equal(withApproval(approved, waiting, 'Kim', 'again'), approved);
  });

  it('takes nothing that the gate did not pass, or that was not compared with the model in production', () => {
    const first = withBenchmark(EMPTY_REGISTRY, model(1), 'first', 'now');
    const refused = decision({ candidate: model(2), benchmark: model(1), pendingApproval: false });
    assert.throws(() => withApproval(first, refused, 'Kim', 'later'), /does not wait for approval/);
    const late = decision({ candidate: model(3), benchmark: model(1), pendingApproval: true });
    const moved = withBenchmark(first, model(2), 'better', 'now');
    assert.throws(() => withApproval(moved, late, 'Kim', 'later'), /another model than the one in production/);
  });

  const decision = (parts: Pick<Decision, 'candidate' | 'benchmark' | 'pendingApproval'>): Decision => ({
    ...{ version: 1, gate: 'held', promoted: false, reasons: [], testVersion: 'v1', candidateMiou: 0.6 },
    ...{ benchmarkMiou: 0.5, gain: 0.1, lower: 0.05, upper: 0.15, detectable: 0.02, units: 100, look: 1, alpha: 0.05 },
    ...{ slices: [], lostClasses: [], previousCandidate: null, images: 100, leftOut: [] },
    ...parts,
  });

  it('numbers the looks at each test version once', () => {
    const look = (n: number, testVersion = 'v1') => ({ testVersion, loop: 'cars', iteration: n, candidate: idOf(n) });
    const one = withLook(EMPTY_REGISTRY, look(1));
    const two = withLook(one.registry, look(2));
    assert.deepEqual(
      [one.number, two.number, withLook(two.registry, look(1)).number, withLook(two.registry, look(1, 'v2')).number],
      [1, 2, 1, 1],
    );
  });
});

describe('the distribution function of the normal distribution', () => {
  it('is the inverse of its quantile function', () => {
    for (const p of [0.001, 0.025, 0.3, 0.5, 0.8, 0.999]) assert.ok(Math.abs(normalCdf(normalQuantile(p)) - p) < 1e-6);
  });
});
