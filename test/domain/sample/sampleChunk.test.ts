import assert from 'node:assert/strict';
import fc from 'fast-check';
import { sampleConfigSchema } from '../../../domain/config.js';
import type { ImageState } from '../../../domain/images/imageState.js';
import { inclusionProbabilities, systematicPick } from '../../../domain/sample/policies/pps.js';
import { estimatedWrongShare, type SampleRequest, sampleChunk } from '../../../domain/sample/sampleChunk.js';
import { fateOf, returningImages, type TrainingSet } from '../../../domain/sample/trainingSet.js';
import type { IndexRow, TrainingRow } from '../../../domain/tables.js';
import { chunkRow, idOf, indexRow, scanRow, skewed, TAXONOMY } from './rows.js';

const request = (fields: Partial<SampleRequest> = {}): SampleRequest => ({
  ...skewed(200),
  trainingSet: [],
  taxonomy: TAXONOMY,
  config: sampleConfigSchema.parse({}),
  budget: 100,
  seed: 1,
  iteration: 1,
  ...fields,
});

describe('algo2', () => {
  it('picks exactly the budget, with probabilities that sum to it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 120 }),
        fc.integer({ min: 0, max: 130 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 0, max: 99 }),
        (count, budget, randomShare, seed) => {
          const sample = sampleChunk(
            request({ ...skewed(count), budget, seed, config: sampleConfigSchema.parse({ randomShare }) }),
          );
          const expected = Math.min(budget, count);
          assert.equal(sample.rows.length, expected);
          assert.equal(new Set(sample.rows.map((row) => row.imageId)).size, expected);
          assert.ok(Math.abs(sample.probabilitySum - expected) < 1e-4);
          assert.equal(sample.rows.filter((row) => row.reason === 'random').length, Math.round(randomShare * expected));
          assert.equal(sample.random.length, expected);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('picks each image about as often as its probability says', () => {
    const hits = new Map<string, number>();
    const probability = new Map<string, number>();
    const runs = 400;
    for (let seed = 0; seed < runs; seed++) {
      for (const row of sampleChunk(request({ ...skewed(60), budget: 20, seed })).rows) {
        hits.set(row.imageId, (hits.get(row.imageId) ?? 0) + 1);
        probability.set(row.imageId, row.probability);
      }
    }
    for (const [imageId, expected] of probability) {
      const deviation = Math.sqrt((expected * (1 - expected)) / runs);
      assert.ok(
        Math.abs((hits.get(imageId) ?? 0) / runs - expected) < 5 * deviation + 0.03,
        `${imageId}: ${hits.get(imageId)} of ${runs}, expected ${expected}`,
      );
    }
  });

  it('picks equally from equal images, in any order', () => {
    const { chunk, scan } = skewed(150);
    const sample = sampleChunk(request({ chunk, scan }));
    assert.deepEqual(sampleChunk(request({ chunk: chunk.toReversed(), scan: scan.toReversed() })), sample);
  });

  it('leaves out quarantined and unreadable images', () => {
    const { chunk, scan } = skewed(100);
    const spoiled = scan.map((row, n) =>
      n % 4 === 0 ? { ...row, quarantined: true } : n % 4 === 1 ? { ...row, error: 'truncated' } : row,
    );
    const sample = sampleChunk(request({ chunk, scan: spoiled, budget: 100 }));
    assert.equal(sample.candidates, 50);
    const out = new Set(spoiled.filter((row) => row.quarantined || row.error !== null).map((row) => row.imageId));
    assert.ok(sample.rows.every((row) => !out.has(row.imageId)));
  });

  it('leaves out and counts images of a car interior, by their tag or as the scan saw them', () => {
    const { chunk, scan } = skewed(40);
    const tagged = chunk.map((row, n) =>
      n === 3 || n === 4 ? ({ ...row, region: n === 3 ? 'interior' : 'exterior' } as const) : row,
    );
    const seen = scan.map((row, n) => (n === 4 || n === 5 ? { ...row, inferredTags: '{"region":"interior"}' } : row));
    const sample = sampleChunk(request({ chunk: tagged, scan: seen, budget: 40 }));
    assert.deepEqual([sample.interior, sample.candidates], [2, 38]);
    const picked = new Set(sample.rows.map(({ imageId }) => imageId));
    assert.deepEqual(
      [3, 4, 5].map((n) => picked.has(idOf(n))),
      [false, true, false],
    );
  });

  it('takes at most two images per duplicate cluster, the least suspect ones', () => {
    const { chunk, scan } = skewed(90);
    const clustered = chunk.map((row, n) => ({ ...row, cluster: idOf(n % 9) }));
    const { rows } = sampleChunk(request({ chunk: clustered, scan, budget: 90 }));
    assert.equal(rows.length, 18);
    for (let cluster = 0; cluster < 9; cluster++) {
      const own = clustered.flatMap((_, n) => (n % 9 === cluster ? (scan[n] ?? []) : []));
      const picked = own
        .filter((row) => rows.some((pick) => pick.imageId === row.imageId))
        .map((row) => Math.round(row.pMislabelled * 100));
      const others = own
        .filter((row) => !rows.some((pick) => pick.imageId === row.imageId))
        .map((row) => Math.round(row.pMislabelled * 100));
      assert.equal(picked.length, 2);
      assert.ok(Math.max(...picked) <= Math.min(...others));
    }
  });

  it('balances a skewed chunk: it picks rare views and rare classes more often than chance', () => {
    const base = skewed(400);
    const sample = sampleChunk(request({ ...base, budget: 120 }));
    const picked = new Set(sample.rows.map((row) => row.imageId));
    const share = (ids: ReadonlySet<string>, has: (row: (typeof base.chunk)[number]) => boolean) =>
      base.chunk.filter((row) => ids.has(row.imageId) && has(row)).length / ids.size;
    const all = new Set(base.chunk.map((row) => row.imageId));
    assert.ok(share(picked, (row) => row.angle === 0) < 0.75 * share(all, (row) => row.angle === 0));
    assert.ok(share(picked, (row) => row.angle === 135) > 1.4 * share(all, (row) => row.angle === 135));
    assert.ok(share(picked, (row) => row.classes.includes(3)) > 1.1 * share(all, (row) => row.classes.includes(3)));
  });

  it('prefers images that the training set holds less of', () => {
    const base = skewed(200);
    const holdings = Array.from({ length: 100 }, (_, n) => ({
      ...chunkRow(1_000 + n, { angle: 135, black: true, orientation: n % 2 ? 'left' : 'right' }),
      pickedIn: 1,
    }));
    const count = (trainingSet: SampleRequest['trainingSet']) => {
      const picked = new Set(
        sampleChunk(request({ ...base, trainingSet, budget: 60, iteration: 2 })).rows.map((row) => row.imageId),
      );
      return base.chunk.filter((row) => row.angle === 135 && picked.has(row.imageId)).length;
    };
    assert.ok(count(holdings) < count([]));
  });

  it('lowers the chance of a suspect image, and works without any tag', () => {
    const base = skewed(200, false);
    const scan = base.scan.map((row, n) => ({ ...row, hardness: 0.5, pMislabelled: n % 2 ? 0.45 : 0.02 }));
    const sample = sampleChunk(request({ chunk: base.chunk, scan, budget: 60 }));
    const suspects = sample.rows.filter((row) => Number.parseInt(row.imageId, 16) % 2 === 1).length;
    assert.ok(suspects < 27, `${suspects} of 60 picks are suspect`);
    const share = estimatedWrongShare(
      scan,
      sample.rows.map((row) => row.imageId),
    );
    assert.ok(share !== null && share < 0.235);
  });
});

describe('systematic sampling with probability proportional to size', () => {
  it('keeps every probability at most 1, and picks exactly as many as asked for', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 1e-6, max: 1e3, noNaN: true }), { minLength: 1, maxLength: 80 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 0.999999, noNaN: true }),
        (sizes, part, start) => {
          const count = Math.round(part * sizes.length);
          const probabilities = inclusionProbabilities(sizes, count);
          assert.ok(probabilities.every((value) => value >= 0 && value <= 1));
          assert.ok(Math.abs(probabilities.reduce((sum, value) => sum + value, 0) - count) < 1e-6);
          assert.equal(systematicPick(probabilities, count, start).length, count);
        },
      ),
    );
  });
});

describe('the training set', () => {
  const picked = (n: number): TrainingRow => ({ ...chunkRow(n), pickedIn: 1 });
  const setOf = (...rows: TrainingRow[]): TrainingSet => {
    const ids = new Set(rows.map(({ imageId }) => imageId));
    return { count: rows.length, has: (id) => ids.has(id), [Symbol.iterator]: () => rows[Symbol.iterator]() };
  };
  const poolOf = (...rows: IndexRow[]): Map<string, ImageState> => new Map(rows.map((row) => [row.imageId, row]));

  it('loses images that were quarantined since, and takes newer label revisions', () => {
    const index = poolOf(indexRow(1), indexRow(2, { labelRevision: 2 }), indexRow(3));
    const fates = [1, 2, 3].map((n) => fateOf(picked(n), index, new Set([idOf(1)])));
    assert.deepEqual(fates, ['out', 'changed', 'kept']);
  });

  it('loses images that were since removed from the pool or made test images', () => {
    const index = poolOf(indexRow(2, { split: 'test' }), indexRow(3));
    const fates = [1, 2, 3].map((n) => fateOf(picked(n), index, new Set()));
    assert.deepEqual(fates, ['out', 'out', 'kept']);
  });

  it('is offered images that come back from quarantine, but never test images or those inside of a car', () => {
    const index = poolOf(indexRow(1), indexRow(2, { split: 'test' }), indexRow(3), indexRow(4, { region: 'interior' }));
    const scanned = [scanRow(1), scanRow(2), scanRow(3, { quarantined: true }), scanRow(4)];
    assert.deepEqual(returningImages(scanned, [], setOf(), index), new Set([idOf(1)]));
    assert.deepEqual(returningImages(scanned, [], setOf(picked(1)), index), new Set());
    assert.deepEqual(returningImages(scanned, [chunkRow(1)], setOf(), index), new Set());
  });
});
