import assert from 'node:assert/strict';
import { truthRows } from '../../../bench/detect/real/truthRows.js';
import { SIZE, striped, stripeFinding } from './kit.js';

const [IMAGE, OTHER] = ['a'.repeat(64), 'b'.repeat(64)];

const finding = (findingId: string, imageId: string, value: number, from: number, to: number) =>
  stripeFinding({ findingId, imageId, probability: 0.8 }, value, from, to);

describe('findings with their truth', () => {
  const scored = [{ imageId: IMAGE, width: SIZE, height: SIZE, clean: striped(3, 2, 5) }];
  const given = [striped(0, 0, 0)];
  const judged = [
    { imageId: IMAGE, fileName: 'car.jpg', pMislabelled: 0.9 },
    { imageId: OTHER, fileName: 'other.jpg', pMislabelled: 0.1 },
  ];
  const of = (...findings: ReturnType<typeof finding>[]) =>
    truthRows({ images: judged, findings }, scored, given, [true]);

  it('are harmful unless they bring more pixels to the corrected label than they take away', () => {
    const { findings } = of(
      finding('right', IMAGE, 3, 2, 5),
      finding('mostly', IMAGE, 3, 2, 7),
      finding('half', IMAGE, 3, 4, 6),
      finding('class', IMAGE, 4, 2, 5),
    );
    assert.deepEqual(
      findings.map(({ finding: id, harmful, wrongArea }) => [id, harmful, wrongArea]),
      [
        ['right', false, 3 * SIZE],
        ['mostly', false, SIZE],
        ['half', true, 0],
        ['class', true, 0],
      ],
    );
    assert.deepEqual(findings[0]?.evidence, { confidence: 0.7 });
  });

  it('are of scored images alone', () => {
    const { images, findings } = of(finding('elsewhere', OTHER, 3, 2, 5));
    assert.deepEqual(images, [{ id: 'car.jpg', p: 0.9, wrong: true }]);
    assert.deepEqual(findings, []);
  });
});
