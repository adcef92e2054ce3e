import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { type Arm, armOf, CHOICES, FILTERS, nameOf } from '../../bench/experiment/arms.js';
import { earlierFigures, figuresOf } from '../../bench/experiment/earlier.js';
import { isBlind, pickBlindly } from '../../bench/experiment/pick.js';
import { gainsPlot } from '../../bench/experiment/plot.js';
import { repeatFactors } from '../../bench/experiment/policies/repeatFactor.js';
import { shapeScores } from '../../bench/experiment/policies/shape.js';
import { typicalityScores } from '../../bench/experiment/policies/typical.js';
import { poolOf } from '../../bench/experiment/pools.js';
import { experimentTables, gainOver, type TrainedArm } from '../../bench/experiment/tables.js';
import { seededRandom } from '../../domain/base/random.js';

const trained = (arm: string, seed: number, miou: number | null): TrainedArm => ({
  ...{ arm, seed, miou, images: 10, wrong: 1 },
  ...{ majorMiou: miou, minorMiou: null, boundaryIou: null, worstClass: null },
  ...{ black: null, damaged: null, zoomed: null },
});

/** A label of one part: `inside` says where it is. */
const drawn = (imageId: string, size: number, inside: (x: number, y: number) => boolean) => ({
  imageId,
  label: Uint8Array.from({ length: size * size }, (_, at) => (inside(at % size, Math.floor(at / size)) ? 1 : 0)),
  width: size,
  height: size,
});

describe('arms of an experiment', () => {
  it('are read back from their names, and from nothing else', () => {
    fc.assert(
      fc.property(fc.constantFrom(...CHOICES), fc.constantFrom(...FILTERS), (choice, filter) => {
        assert.deepEqual(armOf(nameOf({ choice, filter })), { choice, filter });
      }),
    );
    for (const name of ['', 'random', 'random/', 'random/no', 'best/on', 'random/on/on'])
      assert.equal(armOf(name), null);
  });

  it('are compared on the seeds that both have', () => {
    const rows = [
      trained('a', 1, 0.6),
      trained('a', 2, 0.7),
      trained('a', 3, 0.9),
      trained('b', 1, 0.5),
      trained('b', 2, 0.58),
    ];
    const { differences, interval, pairs } = gainOver(rows, 'a', 'b', 'miou');
    assert.equal(pairs, 2);
    assert.deepEqual(
      differences.map((value) => Math.round(value)),
      [10, 12],
    );
    assert.ok(Math.abs((interval?.mean ?? 0) - 11) < 1e-9);
    assert.equal(gainOver([...rows, trained('c', 1, null)], 'c', 'b', 'miou').pairs, 0);
  });

  it('are shown by mIoU, the best first, with a dash where a figure is missing', () => {
    const tables = experimentTables([trained('low', 1, 0.5), trained('high', 1, 0.6)], 'low');
    assert.ok(tables.indexOf('| high |') < tables.indexOf('| low |'));
    assert.match(tables, /\| high \| 1 \| 10 \| 0\.100 \| 0\.600 \| 0\.600 \| – \|/);
  });

  it('take the figures of earlier runs, but only with the same settings and whole', async () => {
    const settings = {
      ...{ pool: 'cars', images: 100, tests: 10, wrong: 0.15, share: 0.25, size: 128, iterations: 300, rounds: 2 },
    };
    const folder = await mkdtemp(join(tmpdir(), 'pl-experiment-'));
    try {
      const [kept, other] = [join(folder, 'kept.json'), join(folder, 'other.json')];
      const rows = [
        trained('need/on round 1', 3, 0.5),
        trained('need/on', 3, 0.6),
        trained('cover/on round 1', 3, 0.5),
      ];
      await writeFile(kept, JSON.stringify({ settings, trained: rows }));
      await writeFile(other, JSON.stringify({ settings: { ...settings, share: 0.5 }, trained: rows }));
      const earlier = await earlierFigures([kept], settings);
      const of = (name: string, seed: number) => figuresOf(earlier, armOf(name) as Arm, seed).map(({ arm }) => arm);
      assert.deepEqual(of('need/on', 3), ['need/on round 1', 'need/on']);
      assert.deepEqual([of('need/on', 4), of('cover/on', 3), of('need/off', 3)], [[], [], []]);
      await assert.rejects(earlierFigures([other], settings), /share 0.5 instead of 0.25/);
      await assert.rejects(earlierFigures([join(folder, 'none.json')], settings), /no readable file/);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('that look at no judge pick at random, each round others, and without wrong labels where the filter is perfect', async () => {
    const pool = await poolOf('cars', { seed: 9, size: 64, images: 40, tests: 0, wrong: 0.3 });
    const blind = (filter: 'off' | 'perfect', iteration: number) =>
      pickBlindly({ choice: 'random', filter }, pool, { budget: 15, seed: 9, iteration }).map(({ imageId }) => imageId);
    assert.deepEqual(
      [isBlind({ choice: 'random', filter: 'on' }), isBlind({ choice: 'need', filter: 'off' })],
      [false, false],
    );
    assert.deepEqual(blind('off', 1), blind('off', 1));
    assert.notDeepEqual(blind('off', 1), blind('off', 2));
    assert.deepEqual([new Set(blind('off', 1)).size, new Set(blind('perfect', 1)).size], [15, 15]);
    const wrong = new Set(pool.set.images.filter((image) => pool.isWrong(image)).map(({ imageId }) => imageId));
    assert.ok(blind('perfect', 1).every((imageId) => !wrong.has(imageId)));
  });

  it('are drawn as one whole picture file', () => {
    const rows = [1, 2, 3].flatMap((seed) => [trained('a', seed, 0.6 + seed / 100), trained('b', seed, 0.5)]);
    const svg = gainsPlot(rows, 'b');
    assert.match(svg, /^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    assert.doesNotMatch(svg, /inherit/);
  });
});

describe('peers that choose images', () => {
  it('prefer rare classes by their repeat factor, and treat common ones alike', () => {
    const candidates = [
      ...Array.from({ length: 9 }, (_, n) => ({ imageId: `common ${n}`, classes: [1, 2] })),
      { imageId: 'rare', classes: [1, 3] },
    ];
    const factors = repeatFactors(candidates);
    assert.ok((factors.get('rare') ?? 0) > 2);
    assert.equal(factors.get('common 0'), 1);
  });

  it('find a comb more complex than a square of the same class, at any size', () => {
    const square = (x: number, y: number): boolean => x >= 8 && x < 24 && y >= 8 && y < 24;
    const comb = (x: number, y: number): boolean => square(x, y) && (y < 10 || x % 4 < 2);
    const scores = shapeScores([drawn('square', 32, square), drawn('comb', 32, comb)]);
    assert.ok((scores.get('comb') ?? 0) > 1.5 * (scores.get('square') ?? 0));
    const large = shapeScores([
      drawn('square', 64, (x, y) => square(x >> 1, y >> 1)),
      drawn('comb', 64, (x, y) => comb(x >> 1, y >> 1)),
    ]);
    assert.ok(Math.abs((large.get('comb') ?? 0) - (scores.get('comb') ?? 0)) < 1e-9);
  });

  it('take the typical image of each cluster first', () => {
    const centres = [0, 10, 20];
    const ids = Array.from({ length: 30 }, (_, n) => `${n % 3}-${Math.floor(n / 3)}`);
    // The fifth image of each cluster lies in its middle, the last one far out.
    const vectors = ids.map((_, n) => {
      const place = Math.floor(n / 3);
      return Float32Array.of((centres[n % 3] as number) + (place === 9 ? 3 : (place - 4) / 10), 0);
    });
    const scores = typicalityScores(ids, vectors, 3, seededRandom('typical'));
    const ranked = [...ids].sort((a, b) => (scores.get(b) ?? 0) - (scores.get(a) ?? 0));
    assert.deepEqual(new Set(ranked.slice(0, 3).map((id) => id[0])), new Set(['0', '1', '2']));
    assert.ok(ranked.slice(0, 20).every((id) => !id.endsWith('-9')));
  });
});
