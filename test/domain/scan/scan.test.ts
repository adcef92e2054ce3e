import assert from 'node:assert/strict';
import fc from 'fast-check';
import { assignFolds } from '../../../domain/scan/judge/folds.js';
import { hasSeen, type JudgeCandidate, rankJudges } from '../../../domain/scan/judge/judges.js';
import { chunkRow, idOf } from '../sample/rows.js';

const rows = fc
  .array(fc.record({ vehicle: fc.option(fc.integer({ min: 0, max: 12 })), cluster: fc.integer({ min: 0, max: 25 }) }), {
    minLength: 1,
    maxLength: 60,
  })
  .map((drawn) =>
    drawn.map(({ vehicle, cluster }, n) =>
      chunkRow(n, { vehicleId: vehicle === null ? null : `v${vehicle}`, cluster: idOf(cluster) }),
    ),
  );

const judge = (name: string, fields: Partial<JudgeCandidate> = {}): JudgeCandidate => ({
  name,
  scanKey: `${name}/scan.onnx`,
  cardKey: `${name}/card.json`,
  seen: { images: new Set(), vehicles: new Set(), clusters: new Set() },
  valMiou: 0.5,
  zeroClasses: 0,
  ...fields,
});

describe('the folds of a cross-validation', () => {
  it('never split a vehicle or a cluster of near duplicates', () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 2, max: 5 }), fc.integer(), (drawn, folds, seed) => {
        const assigned = assignFolds(drawn, folds, seed);
        assert.equal(assigned.length, drawn.length);
        const foldOf = new Map<string, number>();
        for (const [index, { vehicleId, cluster }] of drawn.entries()) {
          const fold = assigned[index] ?? -1;
          assert.ok(fold >= 0 && fold < folds);
          for (const key of [`c${cluster}`, ...(vehicleId === null ? [] : [`v${vehicleId}`])]) {
            assert.equal(foldOf.get(key) ?? fold, fold, `${key} lies in two folds`);
            foldOf.set(key, fold);
          }
        }
      }),
    );
  });

  it('keep chains of vehicles and clusters together', () => {
    const chained = [
      chunkRow(1, { vehicleId: 'a', cluster: idOf(1) }),
      chunkRow(2, { vehicleId: 'b', cluster: idOf(1) }),
      chunkRow(3, { vehicleId: 'b', cluster: idOf(3) }),
      chunkRow(4, { vehicleId: null, cluster: idOf(3) }),
      chunkRow(5, { vehicleId: null, cluster: idOf(5) }),
    ];
    const assigned = assignFolds(chained, 2, 7);
    assert.equal(new Set(assigned.slice(0, 4)).size, 1);
    assert.notEqual(assigned[4], assigned[0]);
  });

  it('are of equal size if every image stands alone', () => {
    const alone = Array.from({ length: 31 }, (_, n) => chunkRow(n));
    const assigned = assignFolds(alone, 3, 1);
    const sizes = [0, 1, 2].map((fold) => assigned.filter((value) => value === fold).length);
    assert.deepEqual(sizes.sort(), [10, 10, 11]);
  });

  it('are the same for the same seed, in any order of images', () => {
    fc.assert(
      fc.property(rows, fc.integer(), (drawn, seed) => {
        const once = assignFolds(drawn, 3, seed);
        assert.deepEqual(assignFolds(drawn, 3, seed), once);
        assert.deepEqual(assignFolds(drawn.toReversed(), 3, seed), once.toReversed());
      }),
    );
  });
});

describe('a judge', () => {
  const row = chunkRow(1, { vehicleId: 'v1', cluster: idOf(9) });
  const seen = (fields: Partial<NonNullable<JudgeCandidate['seen']>>) =>
    judge('one', { seen: { images: new Set(), vehicles: new Set(), clusters: new Set(), ...fields } });

  it('has seen an image it was trained on, a near duplicate of it, or its vehicle', () => {
    assert.equal(hasSeen(seen({ images: new Set([row.imageId]) }), row), true);
    assert.equal(hasSeen(seen({ clusters: new Set([row.cluster]) }), row), true);
    assert.equal(hasSeen(seen({ vehicles: new Set(['v1']) }), row), true);
    assert.equal(hasSeen(seen({ vehicles: new Set(['v2']), clusters: new Set([idOf(8)]) }), row), false);
    assert.equal(hasSeen(seen({ vehicles: new Set(['v1']) }), chunkRow(2)), false);
  });

  it('may judge nothing if its training images are unknown', () => {
    const unknown = judge('unknown', { seen: null, valMiou: 0.99 });
    assert.equal(hasSeen(unknown, row), true);
    assert.deepEqual(
      rankJudges([unknown, judge('known')], 0.02).map(({ name }) => name),
      ['known'],
    );
    assert.deepEqual(rankJudges([unknown], 0.02), []);
    assert.deepEqual(rankJudges([], 0.02), []);
  });

  it('is the newest of those about as good as the best', () => {
    const ranked = rankJudges(
      [judge('old', { valMiou: 0.6 }), judge('newer', { valMiou: 0.59 }), judge('bad', { valMiou: 0.3 })],
      0.02,
    );
    assert.deepEqual(
      ranked.map(({ name }) => name),
      ['newer', 'old'],
    );
  });

  it('yields to one that finds more classes', () => {
    const ranked = rankJudges([judge('whole', { zeroClasses: 1 }), judge('newer, blind', { zeroClasses: 3 })], 0.02);
    assert.deepEqual(
      ranked.map(({ name }) => name),
      ['whole', 'newer, blind'],
    );
  });
});
