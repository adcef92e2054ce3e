import assert from 'node:assert/strict';
import fc from 'fast-check';
import { CONDITION_COLUMNS, parseCondition } from '../../../domain/images/indexCondition.js';
import type { IndexRow } from '../../../domain/tables.js';
import { indexRow, TAXONOMY } from '../sample/rows.js';

const holds = (condition: string, fields: Partial<IndexRow> = {}): boolean =>
  parseCondition(condition, TAXONOMY)(indexRow(1, fields));

describe('a condition on the index', () => {
  it('compares text, flags, numbers and times by the type of their column', () => {
    assert.equal(holds('vehicleId=v1', { vehicleId: 'v1' }), true);
    assert.equal(holds('vehicleId=v1', { vehicleId: 'v11' }), false);
    assert.equal(holds('vehicle_id = v1', { vehicleId: 'v1' }), true);
    assert.equal(holds('split=val', { split: 'val' }), true);
    assert.equal(holds('black=true', { black: true }), true);
    assert.equal(holds('angle<90', { angle: 75 }), true);
    assert.equal(holds('angle=90', { angle: 90 }), true);
    assert.equal(holds('width>=128'), true);
    assert.equal(holds('ingestedAt<2026-01-01', { ingestedAt: '2025-12-31T23:59:59.999Z' }), true);
    assert.equal(holds('ingestedAt<2026-01-01', { ingestedAt: '2026-01-01T00:00:00.000Z' }), false);
    assert.equal(holds('ingestedAt>=2026-01-01T02:00:00+02:00', { ingestedAt: '2026-01-01T00:00:00.000Z' }), true);
  });

  it('treats an empty value as unknown, and orders no unknown values', () => {
    assert.equal(holds('vehicleId='), true);
    assert.equal(holds('vehicleId=', { vehicleId: 'v1' }), false);
    assert.equal(holds('vehicleId!=v1'), true);
    assert.equal(holds('angle<180'), false);
    assert.equal(holds('angle>=0'), false);
  });

  it('knows classes by their names', () => {
    assert.equal(holds('classes=door', { classes: [1, 2] }), true);
    assert.equal(holds('classes=mirror', { classes: [1, 2] }), false);
    assert.equal(holds('classes=', { classes: [] }), true);
    assert.throws(() => holds('classes=wheel'), /one class of hood, door, mirror/);
  });

  it('matches names by patterns, whatever the Unicode form of letters', () => {
    assert.equal(holds('fileName~front/*', { fileName: 'front/a/b.jpg' }), true);
    assert.equal(holds('fileName~front/*', { fileName: 'a/front/b.jpg' }), false);
    assert.equal(holds('fileName~*.jp?g', { fileName: 'b.jpeg' }), true);
    assert.equal(holds('fileName~*(1).jpg', { fileName: 'b(1).jpg' }), true);
    assert.equal(holds('fileName~stra\u00dfe-\u00fc*', { fileName: 'stra\u00dfe-u\u0308.jpg' }), true);
  });

  it('is refused if malformed, with the columns and values that exist', () => {
    assert.throws(() => holds('colour=red'), { hint: /Columns: imageId, fileName/ });
    assert.throws(() => holds('removedAt=x'), /unknown column `removedAt`/);
    assert.throws(() => holds('constructor=x'), /unknown column `constructor`/);
    assert.throws(() => holds('split'), /not a condition/);
    assert.throws(() => holds('split=dev'), /`split` is one of train, val, test$/);
    assert.throws(() => holds('damage=3'), /one of 0, 1, 2, none, or empty if unknown/);
    assert.throws(() => holds('black=yes'), /true, false, or empty/);
    assert.throws(() => holds('angle=91'), /is one of 0, 15/);
    assert.throws(() => holds('width<many'), /takes a number/);
    assert.throws(() => holds('split='), /always known/);
    assert.throws(() => holds('vehicleId<v2'), /has no order/);
    assert.throws(() => holds('angle~9*'), /is not text/);
    assert.throws(() => holds('ingestedAt<yesterday'), /a date such as/);
    assert.throws(() => holds('imageId=abc'), /cannot be `abc`/);
  });

  it('is true, false or refused, whatever a person types', () => {
    const column = fc.constantFrom(...CONDITION_COLUMNS, 'x');
    const operator = fc.constantFrom('=', '!=', '<', '<=', '>', '>=', '~', '');
    fc.assert(
      fc.property(column, operator, fc.string(), (name, sign, value) => {
        try {
          assert.equal(typeof holds(`${name}${sign}${value}`), 'boolean');
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'input-invalid');
        }
      }),
      { numRuns: 500 },
    );
  });
});
