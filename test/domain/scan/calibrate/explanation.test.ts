import assert from 'node:assert/strict';
import { seededRandom } from '../../../../domain/base/random.js';
import { scanConfigSchema } from '../../../../domain/config.js';
import { calibrate } from '../../../../domain/scan/calibrate/calibrate.js';
import { learnClasses } from '../../../../domain/scan/calibrate/chunk/classes.js';
import { explainCandidate, explainImage } from '../../../../domain/scan/calibrate/explanation.js';
import { sigmoid } from '../../../../domain/scan/calibrate/statistics/logistic.js';
import { analyseWithInjection, type ReduceEntry } from '../../../../domain/scan/index.js';
import { NO_TAGS } from '../../../../domain/tags.js';
import { classValue, drawCar, mistaken, replaced, scheme, seen } from '../scene.js';

const SIZE = 96;
const IMAGES = 60;
const WITHOUT_WHEELS = 6;

function chunk(): ReduceEntry[] {
  const random = seededRandom('explanation');
  return Array.from({ length: IMAGES }, (_, index): ReduceEntry => {
    const truth = drawCar(SIZE, random);
    const { mask, confidence } = mistaken(truth, SIZE, random);
    const label = index < WITHOUT_WHEELS ? replaced(truth, classValue('wheel'), 0) : truth;
    const input = seen(label, mask, SIZE, confidence);
    return {
      imageId: index.toString(16).padStart(64, '0'),
      fileName: `${index}.jpg`,
      labelSha256: 'b'.repeat(64),
      model: 'model',
      analysis: analyseWithInjection(input, scheme, NO_TAGS, seededRandom('explanation', index)),
    };
  });
}

describe('the explanation of a probability', () => {
  const entries = chunk();
  const classes = learnClasses(entries, scheme);
  const calibration = calibrate(entries, scheme, classes, scanConfigSchema.parse({}), null);

  it('adds up to the probability of every missing part', () => {
    const missing = calibration.judged.flatMap((image) =>
      image.candidates
        .filter(({ candidate }) => candidate.kind === 'missing_part')
        .map((item) => ({ item, why: explainCandidate(calibration, image, item) })),
    );
    assert.ok(missing.length >= WITHOUT_WHEELS, `${missing.length} missing parts`);
    assert.ok(
      missing.some(({ item }) => item.pModel > 0.5),
      'a wheel that was left out is found',
    );
    for (const { item, why } of missing) assert.ok(Math.abs(sigmoid(why.logOdds) - item.pModel) < 1e-6);
  });

  it('is at most the probability of a candidate that a broken rule lifts', () => {
    for (const image of calibration.judged)
      for (const item of image.candidates)
        assert.ok(sigmoid(explainCandidate(calibration, image, item).logOdds) <= item.pModel + 1e-6);
  });

  it('adds up to the probability of every image', () => {
    for (const image of calibration.judged)
      assert.ok(Math.abs(sigmoid(explainImage(calibration, image).logOdds) - image.pMislabelled) < 1e-6);
  });

  it('names each measurement with its slope and the prior of that slope', () => {
    const image = calibration.judged[0];
    assert.ok(image !== undefined);
    const { terms } = explainImage(calibration, image);
    const best = terms.find(({ name }) => name === 'best');
    assert.equal(best?.prior, 2);
    assert.ok(terms.every(({ value, slope }) => Number.isFinite(value) && Number.isFinite(slope)));
  });
});
