import { LIST, listValue, VARCHAR } from '@duckdb/node-api';
import { inDatabase } from '../tables/database.js';
import { type Cells, cellsOver } from '../tables/typedColumns.js';

/** Calls `read` with the file of each segment of a pool's index, in order. */
export type Segments = (read: (path: string, origin: string) => AsyncGenerator<number>) => Promise<void>;

interface Wanted {
  imageIds: readonly string[];
  selection: readonly string[];
  /** Columns that a segment of an earlier version may lack, with their types. */
  optional: Readonly<Record<string, string>>;
  /** Take a row over; false if it is not as it should be. */
  add(cells: Cells, row: number): boolean;
  /** Tell of the first such row of a file. */
  refuse(path: string, origin: string): Promise<never>;
}

/** Read some columns of the rows of some images from the segments of an index. */
export async function readWanted(segments: Segments, wanted: Wanted): Promise<void> {
  const { imageIds, selection, optional, add, refuse } = wanted;
  if (imageIds.length === 0) return;
  await inDatabase(async (connection) => {
    const ids = listValue(imageIds);
    await connection.run('CREATE TEMP TABLE wanted AS SELECT unnest($1) AS imageId', [ids], [LIST(VARCHAR)]);
    await segments(async function* (path, origin) {
      for await (const cells of cellsOver(connection, path, origin, selection, optional, 'imageId IN (FROM wanted)')) {
        for (let row = 0; row < cells.rows; row++) if (!add(cells, row)) await refuse(path, origin);
        yield cells.rows;
      }
    });
  });
}
