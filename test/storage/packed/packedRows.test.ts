import assert from 'node:assert/strict';
import fc from 'fast-check';
import { INDEX_CHANGES, type IndexRow } from '../../../domain/tables.js';
import { ANGLES, ORIENTATIONS, REGIONS } from '../../../domain/tags.js';
import { ImageTable } from '../../../storage/packed/imageTable.js';
import { PackedRows } from '../../../storage/packed/packedRows.js';
import { PoolHistory } from '../../../storage/pool/poolHistory.js';
import { indexRow } from '../rows.js';

const digest = fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }).map((bits) => bits.toString(16).padStart(64, '0'));
const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', '\u0001', '$&', 'a "quoted" name'));
const sized = fc.maxSafeNat();

/** A row with anything that its schema lets through; addresses with and without the digest. */
const anyRow: fc.Arbitrary<IndexRow> = fc
  .record({
    imageId: digest,
    labelSha256: digest,
    fileName: text,
    before: text,
    after: text,
    holdsImage: fc.boolean(),
    holdsLabel: fc.boolean(),
    imageEtag: fc.option(text),
    imageVersion: fc.option(text),
    width: sized,
    height: sized,
    angle: fc.option(fc.constantFrom(...ANGLES)),
    orientation: fc.option(fc.constantFrom(...ORIENTATIONS)),
    black: fc.option(fc.boolean()),
    region: fc.option(fc.constantFrom(...REGIONS)),
    tagOrigins: text,
    vehicleId: fc.option(text),
    source: fc.constantFrom('in-house' as const, 'client' as const),
    split: fc.constantFrom('train' as const, 'val' as const, 'test' as const),
    classes: fc.array(fc.nat(), { maxLength: 4 }),
    labelRevision: fc.nat(),
    ingestedAt: text,
    change: fc.option(fc.constantFrom(...INDEX_CHANGES)),
    changeId: fc.option(fc.string({ maxLength: 100 })),
    removedAt: fc.option(text),
  })
  .map(({ before, after, holdsImage, holdsLabel, ...row }) => ({
    ...indexRow(1, row),
    imageUri: `${before}${holdsImage ? row.imageId : ''}${after}`,
    labelUri: `${before}${holdsLabel ? row.labelSha256 : ''}${after}`,
  }));

describe('packed rows', () => {
  it('come out as they went in, column by column and in their order', () => {
    fc.assert(
      fc.property(fc.array(anyRow, { maxLength: 8 }), (rows) => {
        const packed = new PackedRows();
        const numbers = rows.map((row) => packed.push(row));
        assert.deepEqual(
          numbers.map((number) => packed.at(number)),
          rows,
        );
        assert.deepEqual(
          numbers.map((number) => JSON.stringify(packed.at(number))),
          rows.map((row) => JSON.stringify(row)),
        );
        for (const [at, { imageId, fileName, split }] of rows.entries()) {
          assert.deepEqual(packed.nameOf(numbers[at] as number), { imageId, fileName });
          assert.equal(packed.split(numbers[at] as number), split);
        }
      }),
    );
  });

  it('may be thousands, and longer than what is kept together', () => {
    const packed = new PackedRows();
    const row = (number: number): IndexRow => indexRow(number, { fileName: `${number}`.repeat(20), width: number });
    const long = indexRow(7_000, { imageUri: 'x'.repeat(2 ** 21) });
    for (let number = 0; number < 7_000; number++) packed.push(row(number));
    packed.push(long);
    packed.push(row(7_001));
    for (const number of [0, 1, 4_321, 6_999, 7_001]) assert.deepEqual(packed.at(number), row(number));
    assert.deepEqual(packed.at(7_000), long);
  });
});

describe('a table of images', () => {
  it('finds the row that was named last, as a map does, also of ids that begin and end alike', () => {
    const id = (number: number): string => `${'0'.repeat(30)}${number.toString(16).padStart(4, '0')}${'0'.repeat(30)}`;
    const packed = new PackedRows();
    const table = new ImageTable((row) => packed.idWords(row));
    const map = new Map<string, number>();
    for (let at = 0; at < 3_000; at++) {
      const imageId = id((at * 7) % 1_900);
      const row = packed.push(indexRow(1, { imageId }));
      table.set(row);
      map.set(imageId, row);
    }
    for (let number = 0; number < 2_000; number++) assert.equal(table.get(id(number)), map.get(id(number)));
    assert.deepEqual([...table.rows()].sort(), [...map.values()].sort());
  });
});

/** The same kept as rows: what a history must equal. */
function plainHistory(rows: readonly IndexRow[], imageId: string) {
  const told = rows.filter((row) => row.imageId === imageId);
  const latest = told.reduce<IndexRow | undefined>(
    (newest, row) => (newest === undefined || row.labelRevision > newest.labelRevision ? row : newest),
    undefined,
  );
  return { latest, revisions: told.map(({ labelRevision }) => labelRevision).sort((a, b) => a - b) };
}

const byId = (a: IndexRow, b: IndexRow): number => (a.imageId < b.imageId ? -1 : 1);

describe('the history of a pool', () => {
  it('tells of each image what it was told', () => {
    const told = fc.record({
      number: fc.nat(5),
      labelRevision: fc.nat(4),
      fileName: fc.string(),
      split: fc.constantFrom('train' as const, 'val' as const, 'test' as const),
      ingestedAt: fc.constantFrom('2026-01-01', '2026-01-02', '2026-01-03'),
      removedAt: fc.option(fc.constant('now')),
    });
    fc.assert(
      fc.property(fc.array(told, { maxLength: 30 }), (fields) => {
        const rows = fields.map(({ number, ...row }) => indexRow(number, row));
        const history = new PoolHistory();
        for (const row of rows) history.add(row);
        const expected = Array.from({ length: 7 }, (_, number) => plainHistory(rows, indexRow(number).imageId));
        for (const [number, { latest, revisions }] of expected.entries()) {
          const { imageId } = indexRow(number);
          assert.deepEqual(history.latest(imageId), latest);
          assert.deepEqual(
            history.revisions(imageId).map(({ labelRevision }) => labelRevision),
            revisions,
          );
        }
        const newest = expected.flatMap(({ latest }) => latest ?? []);
        assert.deepEqual(
          history.images(),
          newest.filter((row) => row.removedAt === null),
        );
        assert.equal(history.count(), history.images().length);
        for (const split of ['train', 'val', 'test'] as const) {
          const ofSplit = history.images((row) => row.split === split);
          assert.deepEqual([...history.ofSplit(split)].sort(byId), ofSplit);
          assert.deepEqual(
            ofSplit,
            history.images().filter((row) => row.split === split),
          );
        }
        const isNamed = ({ fileName }: { fileName: string }) => fileName.length % 2 === 0;
        assert.deepEqual(history.named(isNamed), newest.filter(isNamed));
        for (const row of newest)
          assert.equal(history.cameInAt(row), history.revisions(row.imageId)[0]?.ingestedAt ?? 'never');
        assert.equal([...history.removed()].length, newest.filter((row) => row.removedAt !== null).length);
        assert.equal([...history.rows()].length, rows.length);
      }),
    );
  });
});
