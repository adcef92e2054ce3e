import assert from 'node:assert/strict';
import fc from 'fast-check';
import { seededRandom } from '../../../domain/base/random.js';
import { type SampleConfig, sampleConfigSchema } from '../../../domain/sample/config.js';
import type { Focus } from '../../../domain/sample/focus.js';
import { byCover } from '../../../domain/sample/policies/byCover.js';
import { POLICIES } from '../../../domain/sample/policies/index.js';
import type { NeedCandidate, NeedImage } from '../../../domain/sample/policies/need.js';
import type { PolicyRequest } from '../../../domain/sample/policies/policy.js';
import { sampleChunk } from '../../../domain/sample/sampleChunk.js';
import { chunkRow, idOf, scanRow, TAXONOMY } from './rows.js';

const names = Object.keys(POLICIES) as SampleConfig['policy'][];

const candidate = (n: number, classes: number[], fields: Partial<NeedCandidate> = {}): NeedCandidate => ({
  imageId: idOf(n),
  cells: [],
  classes,
  hardness: 0.3,
  pMislabelled: 0,
  labelIou: 0.7,
  focuses: [],
  ...fields,
});

const request = (candidates: NeedCandidate[], count: number, fields: Partial<PolicyRequest> = {}): PolicyRequest => ({
  candidates,
  training: [],
  reserve: new Set(),
  count,
  alone: count,
  shrinkage: 20,
  focuses: [],
  classNames: ['background', 'hood', 'door', 'mirror'],
  random: (purpose) => seededRandom('test', purpose),
  ...fields,
});

const imageArbitrary = fc.record({
  classes: fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { maxLength: 4 }),
  pMislabelled: fc.double({ min: 0, max: 0.9, noNaN: true }),
  focuses: fc.subarray([0, 1]),
});

const FOCUSES: Focus[] = [3, 20].map((factor) => ({ factor, words: 'of interest', has: () => true }));

describe('the policies of algo2', () => {
  it('pick exactly the budget, with probabilities that sum to it, whatever the policy', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        fc.integer({ min: 1, max: 80 }),
        fc.integer({ min: 0, max: 90 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (policy, count, budget, randomShare) => {
          const random = seededRandom('policies', count);
          const chunk = Array.from({ length: count }, (_, n) =>
            chunkRow(n, { angle: n % 3 === 0 ? 45 : 90, classes: n % 5 === 0 ? [1, 2] : [1] }),
          );
          const scan = chunk.map((_, n) => scanRow(n, { pMislabelled: random(), hardness: random() }));
          const config = sampleConfigSchema.parse({ policy, randomShare });
          const asked = { chunk, scan, trainingSet: [], taxonomy: TAXONOMY, config, budget, seed: 1, iteration: 1 };
          const sample = sampleChunk(asked);
          const expected = Math.min(budget, count);
          assert.equal(new Set(sample.rows.map(({ imageId }) => imageId)).size, expected);
          assert.ok(Math.abs(sample.probabilitySum - expected) < 1e-4, `${sample.probabilitySum} for ${expected}`);
        },
      ),
    );
  });

  it('give a random choice without need: images are picked about equally often', () => {
    const hits = new Map<string, number>();
    const chunk = Array.from({ length: 40 }, (_, n) => chunkRow(n, { classes: n === 0 ? [3] : [1] }));
    const scan = chunk.map((_, n) => scanRow(n, { hardness: n / 40 }));
    const config = sampleConfigSchema.parse({ policy: 'random', randomShare: 0 });
    for (let seed = 0; seed < 400; seed++) {
      const asked = { chunk, scan, trainingSet: [], taxonomy: TAXONOMY, config, budget: 10, seed, iteration: 1 };
      for (const { imageId } of sampleChunk(asked).rows) hits.set(imageId, (hits.get(imageId) ?? 0) + 1);
    }
    assert.equal(hits.size, 40);
    for (const [imageId, times] of hits) assert.ok(Math.abs(times - 100) < 50, `${imageId}: ${times}`);
  });
});

describe('greedy coverage', () => {
  it('takes the only image of a part before another image of a common one', () => {
    const candidates = [...Array.from({ length: 20 }, (_, n) => candidate(n, [1])), candidate(20, [3])];
    assert.ok(byCover(request(candidates, 2)).picked.includes(idOf(20)));
  });

  it('needs less of what the training set has', () => {
    const candidates = Array.from({ length: 20 }, (_, n) => candidate(n, n % 2 === 0 ? [1] : [2]));
    const training: NeedImage[] = Array.from({ length: 50 }, () => ({ cells: [], classes: [1], focuses: [] }));
    const { picked } = byCover(request(candidates, 10, { training }));
    assert.equal(picked.filter((imageId) => Number.parseInt(imageId, 16) % 2 === 1).length, 10);
  });

  it('takes the reserve into account', () => {
    const candidates = [candidate(0, [1]), candidate(1, [1]), candidate(2, [2])];
    const { picked } = byCover(request(candidates, 1, { reserve: new Set([idOf(0)]), alone: 1 }));
    assert.deepEqual(picked, [idOf(2)]);
  });

  it('prefers the less suspect of two equal images', () => {
    const candidates = [candidate(0, [1, 2], { pMislabelled: 0.6 }), candidate(1, [1, 2], { pMislabelled: 0.1 })];
    assert.deepEqual(byCover(request(candidates, 1)).picked, [idOf(1)]);
  });

  it('covers nearly as much as the best choice of all, with focuses as well', () => {
    fc.assert(
      fc.property(
        fc.array(imageArbitrary, { minLength: 4, maxLength: 9 }),
        fc.integer({ min: 1, max: 4 }),
        (images, count) => {
          const candidates = images.map(({ classes, ...fields }, n) => candidate(n, classes, fields));
          const { picked } = byCover(request(candidates, count, { focuses: FOCUSES }));
          const at = picked.map((imageId) => Number.parseInt(imageId, 16));
          const best = Math.max(...subsets(images.length, count).map((subset) => covered(candidates, subset)));
          assert.equal(at.length, count);
          assert.ok(covered(candidates, at) >= (1 - 1 / Math.E - 0.02) * best - 1e-9);
        },
      ),
    );
  });

  it('says what an image adds in words', () => {
    const candidates = [candidate(0, [1, 3]), candidate(1, [1]), candidate(2, [1, 2]), candidate(3, [1, 2])];
    assert.equal(
      byCover(request(candidates, 1)).rated[0]?.why(),
      'adds mirror (25 % of the candidates); hood (100 % of the candidates)',
    );
  });
});

/** Sum over properties of log(1 + trusted images that have it), and that among the images of each focus. */
const covered = (candidates: readonly NeedCandidate[], subset: readonly number[]): number =>
  FOCUSES.reduce(
    (sum, { factor }, at) => {
      const own = subset.filter((index) => candidates[index]?.focuses.includes(at));
      return sum + (factor - 1) * coveredAlike(candidates, own);
    },
    coveredAlike(candidates, subset),
  );

function coveredAlike(candidates: readonly NeedCandidate[], subset: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const index of subset) {
    const { classes, pMislabelled } = candidates[index] as NeedCandidate;
    for (const label of classes) counts.set(label, (counts.get(label) ?? 0) + 1 - pMislabelled);
  }
  return [...counts.values()].reduce((sum, count) => sum + Math.log1p(count), 0);
}

function subsets(size: number, count: number): number[][] {
  if (count === 0) return [[]];
  return Array.from({ length: size }, (_, first) => first).flatMap((first) =>
    subsets(size - first - 1, count - 1).map((rest) => [first, ...rest.map((index) => index + first + 1)]),
  );
}
