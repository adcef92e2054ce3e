import { PartloopError } from '../base/errors.js';
import type { DrawRow } from '../tables.js';
import { CopyIndex, TEST_COPY_BITS } from './copyDetector.js';
import { type DrawColumns, pickRows, rowsWhere, splitAt } from './drawColumns.js';
import { distinctHashes, type Hashes, hashColumns, parseHash, pickHashes } from './perceptualHash.js';

/** What an image shares with the test set. */
export type Shared = 'testVehicle' | 'testCopy';

/** The test images of a pool, as far as others are told from them: ids, vehicles and perceptual hashes. */
export class TestSet {
  private readonly copies: CopyIndex;

  private constructor(
    private readonly ids: ReadonlySet<string>,
    private readonly vehicles: ReadonlySet<string>,
    hashes: Hashes,
  ) {
    this.copies = new CopyIndex(pickHashes(hashes, distinctHashes(hashes).firsts), TEST_COPY_BITS);
  }

  /** The test images among rows of an index. */
  static ofRows(rows: readonly DrawRow[]): TestSet {
    const test = rows.filter(({ split }) => split === 'test');
    return new TestSet(
      new Set(test.map(({ imageId }) => imageId)),
      new Set(test.flatMap(({ vehicleId }) => vehicleId ?? [])),
      hashColumns(test.map(({ perceptualHash }) => perceptualHash)),
    );
  }

  /** The same by column, of some rows. */
  static ofColumns(columns: DrawColumns, counts: (row: number) => boolean = () => true): TestSet {
    const test = pickRows(
      columns,
      rowsWhere(columns, (row) => splitAt(columns, row) === 'test' && counts(row)),
    );
    const ids = new Set<string>();
    const vehicles = new Set<string>();
    for (let row = 0; row < test.ids.count; row++) {
      ids.add(test.ids.at(row));
      const vehicle = test.vehicles[test.vehicle[row] as number];
      if (vehicle !== undefined) vehicles.add(vehicle);
    }
    return new TestSet(ids, vehicles, test);
  }

  get size(): number {
    return this.ids.size;
  }

  /** What an image shares with a test image; null for nothing. */
  shares({ imageId, vehicleId, perceptualHash }: DrawRow): Shared | null {
    if (vehicleId !== null && this.vehicles.has(vehicleId)) return 'testVehicle';
    return this.ids.has(imageId) || this.copies.has(...parseHash(perceptualHash)) ? 'testCopy' : null;
  }

  /** The same of an image of the pool that is no test image, by its row number. */
  sharesOfRow(columns: DrawColumns): (row: number) => Shared | null {
    const { vehicle, vehicles, high, low } = columns;
    const isTested = vehicles.map((vehicleId) => this.vehicles.has(vehicleId));
    return (row) => {
      if (isTested[vehicle[row] as number] === true) return 'testVehicle';
      return this.copies.has(high[row] as number, low[row] as number) ? 'testCopy' : null;
    };
  }
}

/**
 * Refuse rows that would show a model its test set.
 *
 * @throws PartloopError `leak-detected` naming the first image at fault
 */
export function assertNoLeak(rows: readonly DrawRow[], test: TestSet): void {
  for (const row of rows) {
    const reason = row.split === 'test' ? 'testCopy' : test.shares(row);
    if (reason === null) continue;
    const what =
      reason === 'testVehicle' ? `shows vehicle \`${row.vehicleId}\` of the test set` : 'is a copy of a test image';
    throw new PartloopError(
      'leak-detected',
      `${row.fileName} (${row.imageId.slice(0, 12)}) ${what} and must not be trained on`,
      {
        hint: 'Remove it from the training split, or correct the vehicle id of the picture, and import again.',
      },
    );
  }
}
