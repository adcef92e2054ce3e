import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as yieldToOthers } from 'node:timers/promises';
import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api';
import type { ObjectStore } from '../objects/objectStore.js';
import { database, quotedFile, unreadableTable } from './database.js';

/** One value of a chunk: text, number, boolean, or null. */
export type CellOf = (column: number, row: number) => string | number | boolean | null;

/** Some rows of a selection: how many, and their values by the place of a column in it. */
export interface Cells {
  rows: number;
  cell: CellOf;
}

/**
 * A selection over a local Parquet file, some thousand rows at a time and without a JavaScript object per row; between
 * chunks other work goes on. Whoever selects checks the values too: here is no schema.
 *
 * @param columns SQL expressions that are text, numbers of at most 32 bits or doubles, or booleans
 * @param optional columns that older files lack, with their SQL type; null there
 * @throws PartloopError `data-invalid` naming `origin` where it is no such table
 */
export async function* streamCells(
  path: string,
  origin: string,
  columns: readonly string[],
  optional: Readonly<Record<string, string>>,
): AsyncGenerator<Cells> {
  const connection = await (await database()).connect();
  try {
    yield* cellsOver(connection, path, origin, columns, optional);
  } finally {
    connection.closeSync();
  }
}

/** The same over a connection of the caller, and only rows for which a condition in SQL holds. */
export async function* cellsOver(
  connection: DuckDBConnection,
  path: string,
  origin: string,
  columns: readonly string[],
  optional: Readonly<Record<string, string>>,
  where = 'true',
): AsyncGenerator<Cells> {
  try {
    const missing = Object.entries(optional).map(([name, type]) => `CAST(NULL AS ${type}) AS "${name}"`);
    const there = `read_parquet(${quotedFile(path)})`;
    const table =
      missing.length === 0
        ? there
        : `(SELECT * FROM ${there} UNION ALL BY NAME SELECT ${missing.join(', ')} WHERE false)`;
    const result = await connection.stream(`SELECT ${columns.join(', ')} FROM ${table} WHERE ${where}`);
    for (let chunk = await result.fetchChunk(); chunk !== null; chunk = await result.fetchChunk()) {
      if (chunk.rowCount === 0) break;
      yield cellsOf(chunk);
      await yieldToOthers();
    }
  } catch (cause) {
    throw unreadableTable(origin, cause);
  }
}

/** The same over a Parquet object of the store. */
export async function* streamObjectCells(
  store: ObjectStore,
  key: string,
  columns: readonly string[],
  optional: Readonly<Record<string, string>>,
): AsyncGenerator<Cells> {
  const folder = await mkdtemp(join(tmpdir(), 'partloop-table-'));
  try {
    const parquet = join(folder, 'rows.parquet');
    await store.getFile(key, parquet);
    yield* streamCells(parquet, key, columns, optional);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function cellsOf(chunk: DuckDBDataChunk): Cells {
  const vectors = Array.from({ length: chunk.columnCount }, (_, column) => chunk.getColumnVector(column));
  const cell: CellOf = (column, row) => {
    const value = vectors[column]?.getItem(row) ?? null;
    if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      return value;
    throw new RangeError(`column ${column} of the selection holds what is neither text, number nor boolean`);
  };
  return { rows: chunk.rowCount, cell };
}
