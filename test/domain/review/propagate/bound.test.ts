import assert from 'node:assert/strict';
import fc from 'fast-check';
import { seededRandom } from '../../../../domain/base/random.js';
import {
  type Claim,
  chanceOfSoFew,
  firstTested,
  leastAnswers,
  passedStrata,
  stratumSizes,
} from '../../../../domain/review/propagate/bound.js';

const CLAIM: Claim = { alpha: 0.1, delta: 0.05 };
const none = (strata: number): boolean[] => new Array<boolean>(strata).fill(false);

const draws = fc
  .record({ proposals: fc.integer({ min: 2, max: 400 }), answers: fc.integer({ min: 1, max: 120 }) })
  .chain(({ proposals, answers }) => {
    const sizes = stratumSizes(proposals, Math.min(proposals, answers));
    return fc.record({
      sizes: fc.constant(sizes),
      harmful: fc.array(
        fc.integer({ min: 0, max: 9 }).map((one) => one === 0),
        { minLength: sizes.length, maxLength: sizes.length },
      ),
    });
  });

describe('the bound on harmful corrections', () => {
  it('passes nothing without answers, or with too few of them', () => {
    assert.equal(passedStrata({ sizes: [], harmful: [] }, CLAIM), 0);
    for (const answers of [1, 10, 20]) {
      const sizes = stratumSizes(1_000, answers);
      assert.equal(passedStrata({ sizes, harmful: none(answers) }, CLAIM), 0, `${answers}`);
    }
    const sizes = stratumSizes(1_000, 50);
    assert.equal(passedStrata({ sizes, harmful: sizes.map(() => true) }, CLAIM), 0);
    assert.equal(passedStrata({ sizes, harmful: none(50) }, CLAIM), 50);
  });

  it('needs about as many clean answers as the rule of three says', () => {
    const needed = leastAnswers(100_000, CLAIM, 10_000);
    // ln 0.05 / ln 0.905 = 30.01
    assert.equal(needed, 31);
    assert.equal(leastAnswers(100_000, { alpha: 0.01, delta: 0.05 }, 100), null);
    assert.equal(leastAnswers(1, CLAIM, 100), null);
  });

  it('passes no less with a larger share, with more risk, or with a harmful answer less', () => {
    fc.assert(
      fc.property(
        draws,
        fc.double({ min: 0.01, max: 0.5, noNaN: true }),
        fc.double({ min: 0.001, max: 0.2, noNaN: true }),
        fc.double({ min: 1, max: 2, noNaN: true }),
        (strata, alpha, delta, factor) => {
          const passed = passedStrata(strata, { alpha, delta });
          assert.ok(passedStrata(strata, { alpha: Math.min(0.99, alpha * factor), delta }) >= passed);
          assert.ok(passedStrata(strata, { alpha, delta: Math.min(0.99, delta * factor) }) >= passed);
          for (const [at, one] of strata.harmful.entries())
            if (one)
              assert.ok(
                passedStrata({ ...strata, harmful: strata.harmful.with(at, false) }, { alpha, delta }) >= passed,
              );
        },
      ),
      { numRuns: 300 },
    );
  });

  it('gives the exact chance where strata share the harmful ones evenly, and no less however they share them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 0, max: 4 }),
        (counts, harmful) => {
          const all = counts.reduce((sum, count) => sum + count, 0);
          const exact = tail(
            counts.map((count) => count / 5),
            harmful,
          );
          assert.ok(chanceOfSoFew(harmful, counts.length, 5, all) >= exact - 1e-12, `${exact}`);
        },
      ),
      { numRuns: 2_000 },
    );
    const even = chanceOfSoFew(1, 10, 5, 20);
    assert.ok(Math.abs(even - tail(new Array<number>(10).fill(0.4), 1)) < 1e-12, `${even}`);
  });

  it('starts at half of the strata or later', () => {
    assert.equal(firstTested(stratumSizes(10_000, 200), CLAIM), 100);
    assert.ok((firstTested(stratumSizes(10_000, 40), CLAIM) ?? 0) > 30);
  });

  it('is broken by no more draws than it may, by scores that are good, useless or the wrong way round', () => {
    for (const { name, shares } of [
      { name: 'good', shares: (rank: number) => (rank < 0.7 ? 0.02 : 0.5) },
      { name: 'useless, at the bound', shares: () => 0.101 },
      { name: 'the wrong way round', shares: (rank: number) => (rank < 0.5 ? 0.13 : 0.02) },
      { name: 'just over it from the first set on', shares: (rank: number) => (rank < 0.75 ? 0.105 : 0.3) },
    ]) {
      const broken = countBroken(name, shares, CLAIM, 400);
      // Twice the standard deviation of 400 draws above 5 %.
      assert.ok(broken <= 400 * 0.05 + 2 * Math.sqrt(400 * 0.05 * 0.95), `${name}: ${broken}`);
    }
  });
});

/** Chance of at most `most` successes of independent trials. */
function tail(chances: readonly number[], most: number): number {
  let counts = [1];
  for (const p of chances) {
    const next = new Array<number>(counts.length + 1).fill(0);
    counts.forEach((chance, count) => {
      next[count] = (next[count] as number) + chance * (1 - p);
      next[count + 1] = (next[count + 1] as number) + chance * p;
    });
    counts = next;
  }
  return counts.slice(0, most + 1).reduce((sum, chance) => sum + chance, 0);
}

/** Draws from one fixed population, whose harmful ones come in clusters, after which more than `alpha` are harmful. */
function countBroken(seed: string, share: (rank: number) => number, claim: Claim, draws: number): number {
  const random = seededRandom('bound', seed);
  const population: boolean[] = [];
  // Up to six in a row, as of one image, are harmful or harmless together.
  while (population.length < 600) {
    const harmful = random() < share(population.length / 600);
    const together = 1 + Math.floor(random() * 6);
    for (let one = 0; one < together && population.length < 600; one++) population.push(harmful);
  }
  const sizes = stratumSizes(population.length, 50);
  let broken = 0;
  for (let draw = 0; draw < draws; draw++) {
    let at = 0;
    const drawn = sizes.map((size) => {
      const one = at + Math.floor(random() * size);
      at += size;
      return one;
    });
    const passed = passedStrata({ sizes, harmful: drawn.map((one) => population[one] === true) }, claim);
    const applied = population
      .slice(
        0,
        sizes.slice(0, passed).reduce((sum, size) => sum + size, 0),
      )
      .flatMap((harmful, one) => (drawn.includes(one) ? [] : [harmful]));
    if (applied.filter(Boolean).length > claim.alpha * applied.length) broken += 1;
  }
  return broken;
}
