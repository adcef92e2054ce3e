import assert from 'node:assert/strict';
import fc from 'fast-check';
import { encodeRle } from '../../../domain/geometry/rle.js';
import { applySuggestion, suggestionOf } from '../../../domain/review/correction.js';

const SIZE = 16;
const ALL = { x0: 0, y0: 0, x1: 8, y1: 8 };

/** A proposal on a grid of half the size: pixels for which `inside` holds. */
const proposal = (inside: (x: number, y: number) => boolean) => ({
  size: [8, 8] as [number, number],
  counts: encodeRle((pixel) => inside(pixel % 8, Math.floor(pixel / 8)), ALL, 8, 8),
});
const label = (at: (x: number, y: number) => number): Uint8Array =>
  Uint8Array.from({ length: SIZE * SIZE }, (_, pixel) => at(pixel % SIZE, Math.floor(pixel / SIZE)));

describe('an accepted suggestion', () => {
  it('adds a missing part to unlabelled pixels, and leaves its neighbours alone', () => {
    const before = label((x) => (x < 6 ? 1 : 0));
    const after = applySuggestion(before, SIZE, SIZE, {
      from: 0,
      to: 2,
      proposal: proposal((x, y) => x >= 2 && x < 6 && y < 4),
    });
    assert.deepEqual(
      after,
      label((x, y) => (x < 6 ? 1 : x < 12 && y < 8 ? 2 : 0)),
    );
  });

  it('relabels a whole part although its rim falls between the points of the grid', () => {
    const part = (x: number, y: number): boolean => x >= 3 && x < 13 && y >= 3 && y < 13;
    const after = applySuggestion(
      label((x, y) => (part(x, y) ? 3 : 1)),
      SIZE,
      SIZE,
      { from: 3, to: 4, proposal: proposal((x, y) => x >= 2 && x < 7 && y >= 2 && y < 7) },
    );
    assert.deepEqual(
      after,
      label((x, y) => (part(x, y) ? 4 : 1)),
    );
  });

  it('splits a part if only a piece of it belongs to another', () => {
    const after = applySuggestion(
      label(() => 3),
      SIZE,
      SIZE,
      { from: 3, to: 4, proposal: proposal((x) => x < 3) },
    );
    assert.deepEqual(
      after,
      label((x) => (x < 6 ? 4 : 3)),
    );
  });

  it('removes an extra part', () => {
    const after = applySuggestion(
      label((x) => (x < 4 ? 3 : 0)),
      SIZE,
      SIZE,
      { from: 3, to: 0, proposal: proposal((x) => x < 2) },
    );
    assert.deepEqual(
      after,
      label(() => 0),
    );
  });

  it('changes nothing if no region or no other class is proposed, and is an error if the region is damaged', () => {
    const region = JSON.stringify(proposal(() => true));
    const of = (classId: number, suggestedClassId: number | null, text: string | null) =>
      suggestionOf({ findingId: 'f', classId, suggestedClassId, proposal: text });
    assert.deepEqual([of(3, 3, region), of(3, null, region), of(3, 1, null)], [null, null, null]);
    assert.deepEqual(of(3, 0, region), { from: 3, to: 0, proposal: JSON.parse(region) });
    assert.throws(() => of(3, 1, '{'), /the proposal of finding f is not JSON/);
    assert.throws(() => of(3, 1, '{"size":[8],"counts":[]}'), /finding f has a damaged proposal/);
  });

  it('gives the same label when applied twice, and touches no other class', () => {
    const values = fc.uint8Array({ minLength: SIZE * SIZE, maxLength: SIZE * SIZE, max: 4 });
    const cells = fc.array(fc.boolean(), { minLength: 64, maxLength: 64 });
    fc.assert(
      fc.property(values, cells, (before, inside) => {
        const suggestion = {
          from: 2,
          to: 4,
          proposal: proposal((x, y) => inside[y * 8 + x] === true),
        };
        const once = applySuggestion(before, SIZE, SIZE, suggestion);
        assert.ok(once.every((value, pixel) => value === before[pixel] || (before[pixel] === 2 && value === 4)));
        assert.deepEqual(applySuggestion(once, SIZE, SIZE, { ...suggestion }), once);
      }),
      { numRuns: 40 },
    );
  });
});
