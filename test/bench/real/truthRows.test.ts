import assert from 'node:assert/strict';
import { truthRows } from '../../../bench/detect/real/truthRows.js';
import { encodeRle } from '../../../domain/geometry/rle.js';
import { findingRowSchema } from '../../../domain/tables.js';

const SIZE = 8;
const [IMAGE, OTHER] = ['a'.repeat(64), 'b'.repeat(64)];

/** A label with one part of `value` in the rows from `from` to `to`. */
const label = (value: number, from: number, to: number): Uint8Array =>
  Uint8Array.from({ length: SIZE * SIZE }, (_, pixel) => {
    const row = Math.floor(pixel / SIZE);
    return row >= from && row < to ? value : 0;
  });

/** A finding that wants `value` in the rows from `from` to `to`. */
const finding = (findingId: string, imageId: string, value: number, from: number, to: number) =>
  findingRowSchema.parse({
    ...{ findingId, imageId, fileName: 'car.jpg', labelSha256: 'c'.repeat(64), kind: 'missing_part' },
    ...{ classId: 0, suggestedClassId: value, areaPx: SIZE * (to - from), areaShare: (to - from) / SIZE },
    ...{ pWrong: 0.9, pModel: 0.8, x0: 0, y0: from / SIZE, x1: 1, y1: to / SIZE, evidence: '{"confidence":0.7}' },
    proposal: JSON.stringify({
      size: [SIZE, SIZE],
      counts: encodeRle(() => true, { x0: 0, y0: from, x1: SIZE, y1: to }, SIZE, SIZE),
    }),
  });

describe('findings with their truth', () => {
  const scored = [{ imageId: IMAGE, width: SIZE, height: SIZE, clean: label(3, 2, 5) }];
  const given = [label(0, 0, 0)];
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
