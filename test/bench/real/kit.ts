import { encodeRle } from '../../../domain/geometry/rle.js';
import { type FindingRow, findingRowSchema } from '../../../domain/tables.js';

/** Side of the labels in pixels. */
export const SIZE = 8;

/** A label with `value` in the rows from `from` to `to`, background elsewhere. */
export const striped = (value: number, from: number, to: number): Uint8Array =>
  Uint8Array.from({ length: SIZE * SIZE }, (_, pixel) => {
    const row = Math.floor(pixel / SIZE);
    return row >= from && row < to ? value : 0;
  });

/** A finding that wants `value` in the rows from `from` to `to`. */
export const stripeFinding = (
  { findingId, imageId, probability }: { findingId: string; imageId: string; probability: number },
  value: number,
  from: number,
  to: number,
): FindingRow =>
  findingRowSchema.parse({
    ...{ findingId, imageId, fileName: 'car.jpg', labelSha256: 'c'.repeat(64), kind: 'missing_part' },
    ...{ classId: 0, suggestedClassId: value, areaPx: SIZE * (to - from), areaShare: (to - from) / SIZE },
    ...{ pWrong: probability, pModel: probability, x0: 0, y0: from / SIZE, x1: 1, y1: to / SIZE },
    evidence: '{"confidence":0.7}',
    proposal: JSON.stringify({
      size: [SIZE, SIZE],
      counts: encodeRle(() => true, { x0: 0, y0: from, x1: SIZE, y1: to }, SIZE, SIZE),
    }),
  });
