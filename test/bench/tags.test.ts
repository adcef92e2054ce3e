import assert from 'node:assert/strict';
import fc from 'fast-check';
import { poolOf } from '../../bench/experiment/pools.js';
import { perfectCase } from '../../bench/tags/command.js';
import { angleErrors, scoreTags, type TagCase, wilson } from '../../bench/tags/score.js';
import { ANGLES, NO_TAGS, ORIENTATIONS, type Tags } from '../../domain/tags.js';

const tags: fc.Arbitrary<Tags> = fc
  .record({
    angle: fc.option(fc.constantFrom(...ANGLES)),
    orientation: fc.option(fc.constantFrom(...ORIENTATIONS)),
    zoomed: fc.option(fc.boolean()),
  })
  .map((some) => ({ ...NO_TAGS, ...some }));
const cases: fc.Arbitrary<TagCase[]> = fc.array(fc.record({ truth: tags, inferred: tags }), { maxLength: 30 });
const of = (scores: ReturnType<typeof scoreTags>, tag: string, right = 'exact') =>
  scores.find((score) => score.tag === tag && score.right === right);

describe('the score of inferred tags', () => {
  it('is 1 of tags that are inferred as they are, and never below that of a narrower statement', () => {
    fc.assert(
      fc.property(cases, (some) => {
        for (const { accuracy } of scoreTags(some.map(({ truth }) => ({ truth, inferred: truth }))))
          assert.ok(Number.isNaN(accuracy) || accuracy === 1);
        const scores = scoreTags(some);
        const [exact, near] = [of(scores, 'angle'), of(scores, 'angle', 'within 15 degrees')];
        assert.ok(exact !== undefined && near !== undefined);
        assert.ok(Number.isNaN(exact.accuracy) || exact.accuracy <= near.accuracy);
        for (const { images, inferred, baseline } of scores)
          assert.ok(images <= some.length && inferred >= 0 && inferred <= 1 && baseline >= 0 && baseline <= 1);
      }),
    );
  });

  it('counts images with a true value alone, and those without an inferred one only in their share', () => {
    const image = (truth: Partial<Tags>, inferred: Partial<Tags>): TagCase => ({
      truth: { ...NO_TAGS, ...truth },
      inferred,
    });
    const some = [
      image({ angle: 90, zoomed: true }, { angle: 105, zoomed: true }),
      image({ angle: 90, zoomed: false }, { zoomed: true }),
      image({ zoomed: false }, { angle: 0, zoomed: false }),
    ];
    const scores = scoreTags(some);
    assert.deepEqual(
      [of(scores, 'angle'), of(scores, 'angle', 'within 15 degrees'), of(scores, 'zoomed')].map((score) => [
        ...[score?.images, score?.inferred, score?.accuracy, score?.baseline],
      ]),
      [
        [2, 0.5, 0, 1],
        [2, 0.5, 1, 1],
        [3, 1, 2 / 3, 2 / 3],
      ],
    );
    assert.deepEqual(angleErrors(some), [{ angle: 90, images: 1, mean: 15 }]);
  });

  it("has Wilson's interval around its share", () => {
    const { accuracy, low, high } = wilson(8, 10);
    assert.deepEqual([accuracy, Math.round(low * 1e4), Math.round(high * 1e4)], [0.8, 4902, 9433]);
    assert.deepEqual([wilson(0, 0).low, wilson(0, 0).high], [0, 1]);
  });

  it('takes the right label of a rendered car for a prediction', async () => {
    const { test, set } = await poolOf('cars', { seed: 5, size: 128, images: 0, tests: 2, wrong: 0 });
    for (const image of test) {
      const { truth, inferred } = perfectCase(image, set.taxonomy);
      assert.equal(truth, image.tags);
      assert.equal(typeof inferred.zoomed, 'boolean');
    }
  });
});
