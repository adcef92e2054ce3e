import assert from 'node:assert/strict';
import fc from 'fast-check';
import { drawAudit, labelState } from '../../../../domain/scan/verdict/auditSample.js';

const images = fc
  .array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 200 })
  .map((list) => list.map((probability, index) => ({ imageId: `image ${index}`, probability })));

describe('the audit sample', () => {
  it('has the size asked for, and chances that add up to it', () => {
    fc.assert(
      fc.property(images, fc.integer({ min: 0, max: 220 }), (list, size) => {
        const drawn = drawAudit(list, size);
        assert.equal(drawn.size, Math.min(size, list.length));
        for (const chance of drawn.values()) assert.ok(chance > 0 && chance <= 1);
      }),
      {
        examples: [
          [
            [0, 0, 0, 5e-324, 0, 0, 0, 0, 0].map((probability, index) => ({ imageId: `image ${index}`, probability })),
            5,
          ],
        ],
      },
    );
  });

  it('is the same for any order of images', () => {
    fc.assert(
      fc.property(images, (list) => {
        assert.deepEqual(drawAudit([...list].reverse(), 20), drawAudit(list, 20));
      }),
    );
  });

  it('is another one once any label has changed', () => {
    const labels = ['a', 'b', 'c'].map((digit) => ({ labelSha256: digit.repeat(64) }));
    const changed = [...labels.slice(1), { labelSha256: 'd'.repeat(64) }];
    assert.equal(labelState(labels.toReversed()), labelState(labels));
    assert.notEqual(labelState(changed), labelState(labels));
    const list = Array.from({ length: 500 }, (_, index) => ({ imageId: `${index}`, probability: 0.2 }));
    const before = drawAudit(list, 50, labelState(labels));
    const again = [...drawAudit(list, 50, labelState(changed)).keys()].filter((imageId) => before.has(imageId));
    assert.ok(again.length < 15, `${again.length} of 50 are drawn again, by chance 5`);
  });

  it('reaches images that the scan is sure of, and more often those that it is unsure of', () => {
    const list = Array.from({ length: 2_000 }, (_, index) => ({
      imageId: `${index}`,
      probability: index < 1_000 ? 0.001 : 0.5,
    }));
    const drawn = [...drawAudit(list, 200).keys()].map(Number);
    const sure = drawn.filter((index) => index < 1_000).length;
    assert.ok(sure > 30 && sure < 100, `${sure} of 200`);
  });

  it('estimates how many labels are wrong, weighted by the inverse of the chances', () => {
    const list = Array.from({ length: 5_000 }, (_, index) => ({
      imageId: `${index}`,
      probability: (index % 100) / 100,
    }));
    const wrong = (imageId: string): boolean => Number(imageId) % 4 === 0;
    let estimate = 0;
    for (const [imageId, chance] of drawAudit(list, 1_000)) if (wrong(imageId)) estimate += 1 / chance;
    assert.ok(Math.abs(estimate - 1_250) < 200, `${estimate}`);
  });
});
