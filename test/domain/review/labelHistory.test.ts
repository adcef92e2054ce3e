import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isMadeBy, type Setter, setterOf, settersOf } from '../../../domain/review/labelHistory.js';
import type { IndexRow } from '../../../domain/tables.js';
import { indexRow } from '../sample/rows.js';

type Told = Pick<IndexRow, 'change'> & { label: string; by?: string; at?: string };

/** Rows of one image, in the order of their changes. */
const rowsOf = (told: readonly Told[]): IndexRow[] =>
  told.map(({ change, label, by = null, at = '2026-01-01T00:00:00.000Z' }, labelRevision) =>
    indexRow(1, {
      ...{ change, labelRevision, changeId: by, labelSha256: label.padEnd(64, '0'), ingestedAt: at },
      removedAt: change === 'removal' ? at : null,
    }),
  );

const imported: Told = { change: 'import', label: 'a' };
const lastSetter = (told: readonly Told[]): Setter => {
  const rows = rowsOf(told);
  return setterOf(rows, rows.length - 1);
};
const setBy = (told: readonly Told[]): number => lastSetter(told).row.labelRevision;

describe('the row that set a label', () => {
  it('is the first row of the image, and each row that gave another label', () => {
    assert.equal(setBy([imported]), 0);
    assert.equal(setBy([imported, { change: 'relabel', label: 'b' }]), 1);
    assert.equal(setBy([imported, { change: 'review', label: 'b', by: 'r1' }]), 1);
  });

  it('is never one that only changes tags, or removes the image and restores it', () => {
    const more: Told[] = [
      { change: 'facts', label: 'b' },
      { change: 'removal', label: 'b' },
      { change: 'restore', label: 'b' },
    ];
    assert.equal(setBy([imported, { change: 'review', label: 'b', by: 'r1' }, ...more]), 1);
    // An import may take an image back with another label.
    const back: Told[] = [
      { change: 'removal', label: 'a' },
      { change: 'restore', label: 'b' },
    ];
    assert.equal(setBy([imported, ...back]), 2);
  });

  it('is the review that gave back the imported label, not the import', () => {
    const both: Told[] = [
      imported,
      { change: 'review', label: 'b', by: 'r1' },
      { change: 'review', label: 'a', by: 'r2' },
    ];
    assert.equal(setBy(both), 2);
    assert.deepEqual(
      settersOf(rowsOf(both), 2).map(({ row }) => row.labelRevision),
      [2, 1, 0],
    );
  });

  it('is the row that gave the label below, if a review was taken back', () => {
    const first: Told[] = [imported, { change: 'review', label: 'b', by: 'r1' }];
    assert.equal(setBy([...first, { change: 'undo', label: 'a', by: 'r1' }]), 0);
    const second: Told[] = [...first, { change: 'review', label: 'c', by: 'r2' }];
    assert.equal(setBy([...second, { change: 'undo', label: 'b', by: 'r2' }]), 1);
    // The first one was taken back while the second lay on top of it.
    const below: Told[] = [...second, { change: 'undo', label: 'c', by: 'r1' }];
    assert.equal(setBy(below), 2);
    assert.equal(setBy([...below, { change: 'undo', label: 'a', by: 'r2' }]), 0);
  });

  it('is not confused with a later review of the same label after the one in between was taken back', () => {
    const back: Told[] = [
      imported,
      { change: 'review', label: 'b', by: 'r1' },
      { change: 'review', label: 'a', by: 'r2' },
      { change: 'review', label: 'c', by: 'r3' },
      { change: 'undo', label: 'a', by: 'r3' },
    ];
    assert.equal(setBy(back), 2);
    assert.equal(setBy([...back, { change: 'undo', label: 'b', by: 'r2' }]), 1);
  });

  it('counts as withdrawn also if only another record says so', () => {
    const rows = rowsOf([imported, { change: 'review', label: 'b', by: 'r1' }]);
    assert.equal(setterOf(rows, 1).isWithdrawn, false);
    assert.equal(setterOf(rows, 1, (row) => isMadeBy(row, 'r1')).isWithdrawn, true);
  });

  it('is known by the time of its review if it is from before changes were written down', () => {
    const at = '2026-02-03T04:05:06.000Z';
    const review = '01KGGTSTAG0000000000000000';
    const [, row] = rowsOf([imported, { change: null, label: 'b', at }]);
    assert.equal(row !== undefined && isMadeBy(row, review), true);
    assert.equal(row !== undefined && isMadeBy({ ...row, labelRevision: 0 }, review), false);
  });

  it('is one that has the label and is no later, for any rows', () => {
    const label = fc.constantFrom('a', 'b', 'c');
    const by = fc.constantFrom('r1', 'r2', 'r3');
    const told = fc.record({
      change: fc.constantFrom(
        ...(['import', 'relabel', 'facts', 'review', 'undo', 'removal', 'restore', null] as const),
      ),
      ...{ label, by },
    });
    fc.assert(
      fc.property(fc.array(told, { minLength: 1, maxLength: 12 }), (all) => {
        const rows = rowsOf(all);
        for (const [at, row] of rows.entries()) {
          const setter = setterOf(rows, at).row;
          assert.equal(setter.labelSha256, row.labelSha256);
          assert.ok(setter.labelRevision <= row.labelRevision);
          // Later rows do not change that.
          assert.deepEqual(setter, setterOf(rows.slice(0, at + 1), at).row);
        }
      }),
    );
  });
});
