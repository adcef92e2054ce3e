import { strict as assert } from 'node:assert';
import { scanConfigSchema } from '../../../../domain/scan/config.js';
import { foldTraining } from '../../../../domain/scan/judge/foldTraining.js';
import { trainConfigSchema } from '../../../../domain/train/config.js';

describe('the training of a fold', () => {
  const train = trainConfigSchema.parse({ iterations: 900, warmStart: true, doubtBackground: 0.8, imageSize: 256 });
  const of = (scan: object) => foldTraining(train, scanConfigSchema.parse(scan));

  it('is shorter than that of the loop, and starts from weights that know no image of the pool', () => {
    const { iterations, warmStart, ...rest } = of({ foldIterationShare: 0.5 });
    assert.deepEqual([iterations, warmStart], [450, false]);
    const { iterations: _, warmStart: __, ...given } = train;
    assert.deepEqual(rest, given);
  });

  it('doubts background as the scan says, else as the loop does', () => {
    assert.equal(of({ foldDoubt: 0.5 }).doubtBackground, 0.5);
    assert.equal(of({ foldDoubt: null }).doubtBackground, 0.8);
  });

  it('has at least one iteration', () => {
    const short = foldTraining({ ...train, iterations: 1 }, scanConfigSchema.parse({ foldIterationShare: 0.05 }));
    assert.equal(short.iterations, 1);
  });
});
