import assert from 'node:assert/strict';
import { compareWithControl, controlFacts, noControl } from '../../../domain/control/comparison.js';
import { bounds, comparePaired } from '../../../domain/decide/bootstrap.js';
import type { EvaluationRow } from '../../../domain/tables.js';
import { NO_TAGS } from '../../../domain/tags.js';
import { idOf, TAXONOMY } from '../sample/rows.js';

const GATE = { alpha: 0.05, resamples: 400 };
/** Pictures of eight vehicles, with this many of 100 pixels of each class right. */
const rows = (count: number, right: (n: number) => number): EvaluationRow[] =>
  Array.from({ length: count }, (_, n) => ({
    ...{ imageId: idOf(n), fileName: `car-${n}.jpg`, vehicleId: `v${n % 8}`, ...NO_TAGS },
    confusion: [1, 1, right(n), 1, 2, 100 - right(n), 2, 2, right(n), 2, 1, 100 - right(n)],
    ...{ boundary: [], imageMiou: 0.5, calibration: null },
  }));
const asked = { trainedOn: 50, controlTrainedOn: 50, behind: false, taxonomy: TAXONOMY, gate: GATE, seed: 1 };

describe('the comparison with a control', () => {
  it('is the gain of the gate: paired by vehicle on the test images of both', () => {
    const model = rows(24, (n) => 80 + (n % 5));
    const control = rows(20, (n) => 70 + (n % 7));
    const { compared, why } = compareWithControl({ ...asked, model, control });
    assert.ok(compared !== null && why === null);
    const same = comparePaired({
      ...{ candidate: model.slice(0, 20), benchmark: control, metric: 'region', labels: [1, 2, 3] },
      ...{ resamples: GATE.resamples, seed: [1, 'control'] },
    });
    assert.deepEqual([compared.units, compared.images], [8, 20]);
    assert.equal(compared.gain, same.gain);
    assert.deepEqual({ lower: compared.lower, upper: compared.upper }, bounds(same, GATE.alpha));
    assert.ok(compared.lower > 0 && compared.lower < compared.gain && compared.gain < compared.upper);
  });

  it('is nothing between equal models', () => {
    const model = rows(24, (n) => 60 + n);
    const { compared } = compareWithControl({ ...asked, model, control: model });
    assert.deepEqual([compared?.gain, compared?.lower, compared?.upper], [0, 0, 0]);
  });

  it('says in what the two trainings differ beside the choice of images', () => {
    const images = { model: rows(24, () => 80), control: rows(24, () => 70) };
    assert.deepEqual(compareWithControl({ ...asked, ...images }).unlike, []);
    const unlike = compareWithControl({ ...asked, ...images, controlTrainedOn: 48, behind: true });
    assert.deepEqual(unlike.unlike, [
      'trained on 48 images instead of 50',
      'without the earlier trainings from which the model starts',
    ]);
    assert.equal(controlFacts(unlike, true).unlike, unlike.unlike.join('; '));
  });

  it('has the reason in one line if there is no control', () => {
    const comparison = noControl('the loss is not finite\nLower it');
    assert.equal(comparison.why, 'the loss is not finite. Lower it');
    assert.deepEqual(controlFacts(comparison, false), {
      ...{ gain: null, lower: null, upper: null, miou: null, unlike: null, why: 'the loss is not finite. Lower it' },
    });
  });
});
