import assert from 'node:assert/strict';
import fc from 'fast-check';
import { seededRandom } from '../../../../domain/base/random.js';
import { leastWrong, mostWrong, type Unit } from '../../../../domain/review/certificate/bound.js';
import { auditChances, drawAudit } from '../../../../domain/scan/verdict/auditSample.js';

const RISK = 0.05;
const unit = fc.record({
  probability: fc.double({ min: 0, max: 1, noNaN: true }),
  chance: fc.double({ min: 0.01, max: 1, noNaN: true }),
  answer: fc.constantFrom<Unit['answer']>('wrong', 'right', 'open', null),
});
const units = fc.array(unit, { minLength: 1, maxLength: 60 });

/** Images of which `share` are wrong; probabilities follow the truth, its opposite, or nothing. */
function madeUp(images: number, share: number, trust: 1 | -1 | 0, seed: number) {
  const random = seededRandom('certificate', seed);
  return Array.from({ length: images }, (_, at) => {
    const wrong = random() < share;
    const suspect = trust === 0 ? random() < 0.3 : wrong === trust > 0;
    const probability = suspect ? 0.5 + random() / 2 : random() * 0.3;
    return { imageId: `${seed} ${at}`, wrong, probability };
  });
}

function audited(images: ReturnType<typeof madeUp>, size: number): Unit[] {
  const drawn = drawAudit(images, size);
  const chances = auditChances(
    images.map(({ probability }) => probability),
    size,
  );
  return images.map(({ imageId, wrong, probability }, at) => ({
    ...{ probability, chance: chances[at] as number },
    answer: drawn.has(imageId) ? (wrong ? 'wrong' : 'right') : null,
  }));
}

describe('the bound of a certificate', () => {
  it('falls or stays with each answer, and most if the label was right', () => {
    fc.assert(
      fc.property(units, fc.nat(), (list, pick) => {
        const at = pick % list.length;
        const as = (answer: Unit['answer']): number =>
          mostWrong(
            list.map((one, index) => (index === at ? { ...one, answer } : one)),
            RISK,
          );
        assert.ok(as('right') <= as('wrong'));
        assert.equal(as('wrong'), as('open'));
        const low = (answer: Unit['answer']): number =>
          leastWrong(
            list.map((one, index) => (index === at ? { ...one, answer } : one)),
            RISK,
          );
        assert.ok(low('wrong') >= low('right'));
        assert.equal(low('right'), low('open'));
      }),
      { numRuns: 30 },
    );
  });

  it('does not depend on the order of images, and is wider for a smaller risk', () => {
    fc.assert(
      fc.property(units, (list) => {
        const most = mostWrong(list, RISK);
        assert.ok(Math.abs(mostWrong([...list].reverse(), RISK) - most) <= 1);
        assert.ok(mostWrong(list, RISK / 5) >= most);
        assert.ok(most <= list.length && leastWrong(list, RISK) >= 0);
      }),
      { numRuns: 30 },
    );
  });

  it('says little without answers, and everything once all images were drawn with certainty', () => {
    const none = audited(madeUp(100, 0.3, 1, 1), 10).map((one) => ({
      ...one,
      answer: one.answer === null ? null : ('open' as const),
    }));
    assert.equal(mostWrong(none, RISK), 100);
    assert.equal(leastWrong(none, RISK), 0);
    const images = madeUp(200, 0.3, 1, 2);
    const wrong = images.filter((image) => image.wrong).length;
    const all = audited(images, 190);
    assert.ok(
      mostWrong(all, RISK) >= wrong && mostWrong(all, RISK) < wrong + 30,
      `${mostWrong(all, RISK)} of ${wrong}`,
    );
  });

  for (const [name, trust] of [
    ['good', 1],
    ['worthless', 0],
    ['reversed', -1],
  ] as const)
    it(`holds the truth with ${name} probabilities, sample after sample`, function () {
      this.timeout(60_000);
      const samples = 40;
      let above = 0;
      let below = 0;
      for (let seed = 0; seed < samples; seed++) {
        const images = madeUp(400, seed % 2 === 0 ? 0.06 : 0.4, trust, seed);
        const truth = images.filter(({ wrong }) => wrong).length;
        const list = audited(images, 80);
        if (mostWrong(list, RISK) >= truth) above++;
        if (leastWrong(list, RISK) <= truth) below++;
      }
      assert.ok(above >= 0.93 * samples && below >= 0.93 * samples, `${above} and ${below} of ${samples}`);
    });

  it('is narrower with good probabilities than without any', () => {
    let used = 0;
    let unused = 0;
    for (let seed = 0; seed < 10; seed++) {
      const list = audited(madeUp(400, 0.4, 1, seed), 100);
      used += mostWrong(list, RISK);
      unused += mostWrong(
        list.map((one) => ({ ...one, probability: 0.4 })),
        RISK,
      );
    }
    assert.ok(used < 0.95 * unused, `${used / 10} instead of ${unused / 10}`);
  });
});
