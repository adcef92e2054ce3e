import assert from 'node:assert/strict';
import { groupRefusals } from '../../../pool/import/refusals.js';

describe('refusals', () => {
  it('are grouped by reason, the most frequent first', () => {
    const refused = [
      { fileName: 'a.jpg', reason: 'a.jpg does not exist' },
      ...[1, 2, 3, 4, 5].map((n) => ({ fileName: `${n}.jpg`, reason: `its label is ${n}×8, the picture 9×9` })),
      { fileName: 'b.jpg', reason: 'b.jpg does not exist' },
    ];
    assert.deepEqual(
      groupRefusals(refused).map(({ count, examples }) => [count, examples]),
      [
        [5, ['1.jpg', '2.jpg', '3.jpg']],
        [2, ['a.jpg', 'b.jpg']],
      ],
    );
  });
});
