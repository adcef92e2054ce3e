import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ARMS, labelsOf } from '../../../bench/cleaning/arms.js';
import { recovered, type TrainedArm } from '../../../bench/cleaning/tables.js';
import type { BenchImage } from '../../../bench/detect/data.js';
import { NO_TAGS } from '../../../domain/tags.js';
import { SIZE, striped, stripeFinding } from '../real/kit.js';

const IMAGE = 'a'.repeat(64);

const image: BenchImage = {
  ...{ imageId: IMAGE, fileName: 'car.jpg', bytes: Buffer.alloc(0), width: SIZE, height: SIZE },
  ...{ clean: striped(3, 2, 5), planted: null, tags: NO_TAGS, vehicleId: null, cluster: IMAGE },
};
const empty = striped(0, 0, 0);

const finding = (findingId: string, probability: number, value: number, from: number, to: number) =>
  stripeFinding({ findingId, imageId: IMAGE, probability }, value, from, to);

const findings = [
  finding('right', 0.6, 3, 2, 5),
  finding('elsewhere', 0.9, 4, 6, 7),
  finding('improbable', 0.3, 5, 0, 1),
];
const of = (arm: (typeof ARMS)[number], answers: number) =>
  labelsOf(arm, [image], () => empty, { findings }, { from: 0.5, answers });

describe('labels after cleaning', () => {
  it('are the old ones, the corrected ones, or the old ones with what is probable enough', () => {
    assert.deepEqual(of('old', 0).labelOf(image), empty);
    assert.deepEqual(of('corrected', 0).labelOf(image), image.clean);
    const { labelOf, corrections } = of('automatic', 0);
    const wanted = striped(3, 2, 5);
    wanted.fill(4, 6 * SIZE, 7 * SIZE);
    assert.deepEqual(labelOf(image), wanted);
    assert.deepEqual(corrections, { applied: 2, harmful: 1, images: 1 });
  });

  it('lack harmful proposals that an answer refused, most probable first', () => {
    const { labelOf, corrections } = of('answers', 1);
    assert.deepEqual(labelOf(image), image.clean);
    assert.deepEqual(corrections, { applied: 1, harmful: 0, images: 1 });
  });
});

describe('the share of the gap that cleaning closes', () => {
  it('is 0 for old labels and 1 for corrected ones, and lies between in proportion to the gain', () => {
    const miou = fc.integer({ min: 0, max: 1_000 }).map((thousandths) => thousandths / 1_000);
    fc.assert(
      fc.property(fc.array(fc.tuple(miou, miou, miou), { minLength: 1, maxLength: 5 }), (seeds) => {
        const trained = seeds.flatMap(([old, automatic, corrected], seed): TrainedArm[] => [
          { arm: 'old', seed, miou: old },
          { arm: 'automatic', seed, miou: automatic },
          { arm: 'answers', seed, miou: (old + corrected) / 2 },
          { arm: 'corrected', seed, miou: corrected },
        ]);
        const shares = recovered(trained).map(({ share }) => share?.mean ?? null);
        const gap = seeds.reduce((sum, [old, , corrected]) => sum + corrected - old, 0);
        // Without a gap rounding decides its sign.
        fc.pre(Math.abs(gap) > 1e-6);
        if (gap <= 0) assert.deepEqual(shares, [null, null, null, null]);
        else {
          assert.ok(Math.abs(shares[0] as number) < 1e-9);
          assert.ok(Math.abs((shares[2] as number) - 0.5) < 1e-9);
          assert.ok(Math.abs((shares[3] as number) - 1) < 1e-9);
        }
      }),
    );
  });

  it('counts only seeds that every arm has', () => {
    const arms = ARMS.map((arm, at): TrainedArm => ({ arm, seed: 1, miou: at / 10 }));
    assert.deepEqual(recovered([...arms, { arm: 'old', seed: 2, miou: 0.9 }]), recovered(arms));
  });
});
