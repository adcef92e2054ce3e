import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate as yieldToOthers } from 'node:timers/promises';
import { type JS, LIST, listValue, VARCHAR } from '@duckdb/node-api';
import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import type { ObjectStore } from '../objects/objectStore.js';
import { columnType } from './columns.js';
import { guardedCell, unguardedCell } from './csvCells.js';
import { database, inDatabase, quoted, quotedFile, unreadableTable } from './database.js';
import { SharedTexts } from './sharedTexts.js';

/** Only the separator of a CSV file is guessed: a `#` or a `'` belongs to its cell. */
const CSV_DIALECT = `header=true, all_varchar=true, quote='"', escape='"', comment=''`;
/** Lines per write: enough to be fast, few enough to leave the event loop to others. */
const LINES_AT_ONCE = 500;

/** Write rows as one Parquet object, columns from the schema (`storage/tables/columns.ts`), rows in the order given. */
export async function writeTable<T extends z.ZodObject>(
  store: ObjectStore,
  key: string,
  rows: Iterable<z.output<T>>,
  schema: T,
): Promise<void> {
  await inScratch(async (folder) => {
    const parquet = join(folder, 'rows.parquet');
    await writeTableFile(parquet, 'parquet', rows, schema);
    await store.putFile(key, parquet, 'application/vnd.apache.parquet');
  });
}

/** The same as a local file, Parquet or CSV with a header; no CSV cell can run in a spreadsheet. */
export async function writeTableFile<T extends z.ZodObject>(
  path: string,
  format: 'parquet' | 'csv',
  rows: Iterable<z.output<T>>,
  schema: T,
): Promise<void> {
  await inScratch(async (folder) => {
    const json = join(folder, 'rows.ndjson');
    await pipeline(Readable.from(lines(rows, format === 'csv')), createWriteStream(json));
    const columns = Object.entries(schema.shape).map(([name, type]) => `${quoted(name)}: '${columnType(type, name)}'`);
    const source = `read_json(${quotedFile(json)}, format='newline_delimited', columns={${columns.join(', ')}})`;
    const options = format === 'parquet' ? 'FORMAT parquet, COMPRESSION zstd' : 'FORMAT csv, HEADER';
    await inDatabase((connection) => connection.run(`COPY (SELECT * FROM ${source}) TO ${quoted(path)} (${options})`));
  });
}

/**
 * All rows of a Parquet object, in the order they were written.
 *
 * @throws PartloopError `data-invalid` naming the key, the row and every column that does not fit the schema
 */
export async function readTable<T extends z.ZodObject>(
  store: ObjectStore,
  key: string,
  schema: T,
): Promise<z.output<T>[]> {
  const rows: z.output<T>[] = [];
  for await (const row of streamTable(store, key, schema)) rows.push(row);
  return rows;
}

/** The same row by row: the table is never in memory as a whole, and other work continues between chunks. */
export async function* streamTable<T extends z.ZodObject>(
  store: ObjectStore,
  key: string,
  schema: T,
  filter?: RowFilter,
): AsyncGenerator<z.output<T>> {
  const folder = await mkdtemp(join(tmpdir(), 'partloop-table-'));
  try {
    const parquet = join(folder, 'rows.parquet');
    await store.getFile(key, parquet);
    yield* streamFile(parquet, key, schema, filter);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Text columns of a Parquet object, row by row, without its other columns; no rows if one of them is missing. */
export async function* streamTexts(
  store: ObjectStore,
  key: string,
  columns: readonly string[],
): AsyncGenerator<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'partloop-table-'));
  const connection = await (await database()).connect();
  try {
    const parquet = join(folder, 'rows.parquet');
    await store.getFile(key, parquet);
    const table = `read_parquet(${quotedFile(parquet)})`;
    const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${table}`);
    const there = new Set(described.getRowObjectsJS().map(({ column_name }) => String(column_name)));
    if (!columns.every((name) => there.has(name))) return;
    const asked = columns.map((name) => `CAST("${name}" AS VARCHAR)`).join(', ');
    for await (const chunk of (await connection.stream(`SELECT ${asked} FROM ${table}`)).yieldRowsJs()) {
      for (const row of chunk) yield row.map((value) => String(value ?? ''));
      await yieldToOthers();
    }
  } catch (cause) {
    throw unreadableTable(key, cause);
  } finally {
    connection.closeSync();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Rows to read of a table: those with one of these texts in a column. */
export interface RowFilter {
  column: string;
  values: ReadonlySet<string>;
}

/**
 * The same from a local Parquet file; `origin` names it in errors. Only the columns of the schema are read, and only
 * the rows that pass `filter`.
 */
export async function* streamFile<T extends z.ZodObject>(
  path: string,
  origin: string,
  schema: T,
  filter?: RowFilter,
): AsyncGenerator<z.output<T>> {
  const connection = await (await database()).connect();
  const shared = new SharedTexts();
  let index = 0;
  try {
    // A table of an earlier version lacks columns that now have a default.
    const columns = `COLUMNS(name -> name IN (${Object.keys(schema.shape).map(quoted).join(', ')}))`;
    const where = filter === undefined ? '' : ` WHERE "${filter.column}" IN (SELECT unnest($1))`;
    const result = await connection.stream(
      `SELECT ${columns} FROM read_parquet(${quotedFile(path)})${where}`,
      filter === undefined ? [] : [listValue([...filter.values])],
      filter === undefined ? [] : [LIST(VARCHAR)],
    );
    for await (const chunk of result.yieldRowObjectJs()) {
      for (const row of chunk) {
        for (const name in row) row[name] = shared.of(name, plain(row[name] ?? null));
        const parsed = schema.safeParse(row);
        if (!parsed.success) {
          throw new PartloopError('data-invalid', `${origin}, row ${index}: ${z.prettifyError(parsed.error)}`);
        }
        index += 1;
        yield parsed.data;
      }
      await yieldToOthers();
    }
  } catch (cause) {
    throw unreadableTable(origin, cause);
  } finally {
    connection.closeSync();
  }
}

/**
 * The rows of a CSV file with a header, every value as the text given to `writeTableFile`.
 *
 * @throws PartloopError `data-invalid` naming the file if it is no such table
 */
export async function readCsvFile(path: string): Promise<Record<string, string>[]> {
  const rows: Record<string, string>[] = [];
  try {
    await inDatabase(async (connection) => {
      const source = `read_csv(${quotedFile(path)}, ${CSV_DIALECT})`;
      const result = await connection.runAndReadAll(`SELECT * FROM ${source}`);
      for (const row of result.getRowObjectsJS()) {
        const cells = Object.entries(row).map(([name, value]) => [name.trim(), unguardedCell(String(value ?? ''))]);
        rows.push(Object.fromEntries(cells));
      }
    });
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new PartloopError('data-invalid', `${path} is not a CSV table: ${detail.slice(0, 500)}`, { cause });
  }
  return rows;
}

/** Numbers, even negative ones, are no formulas: only text is guarded. */
function guardedRow(row: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const cells = Object.entries(row).map(([name, value]) => [
    name,
    typeof value === 'string' ? guardedCell(value) : value,
  ]);
  return Object.fromEntries(cells);
}

function* lines(rows: Iterable<Readonly<Record<string, unknown>>>, isGuarded: boolean): Generator<string> {
  let [text, count] = ['', 0];
  for (const row of rows) {
    text += `${JSON.stringify(isGuarded ? guardedRow(row) : row)}\n`;
    if (++count % LINES_AT_ONCE !== 0) continue;
    yield text;
    text = '';
  }
  if (text !== '') yield text;
}

async function inScratch<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'partloop-table-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** DuckDB's whole numbers are bigints in JavaScript. */
function plain(value: JS): JS {
  if (typeof value === 'bigint') return Number(value);
  return Array.isArray(value) ? value.map(plain) : value;
}
