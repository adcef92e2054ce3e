import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { z } from 'zod';
import { PartloopError } from '../domain/errors.js';
import type { ObjectStore } from './objectStore.js';

/**
 * Write rows as one Parquet object. Columns come from the schema: text, whole numbers, numbers, booleans, lists of these.
 */
export async function writeTable<T extends z.ZodObject>(store: ObjectStore, key: string, rows: readonly z.output<T>[], schema: T): Promise<void> {
  await inScratch(async (folder) => {
    const json = join(folder, 'rows.ndjson');
    const parquet = join(folder, 'rows.parquet');
    await writeFile(json, rows.map((row) => JSON.stringify(row)).join('\n'));
    const columns = Object.entries(schema.shape).map(([name, type]) => `'${name}': '${columnType(type as z.ZodType)}'`).join(', ');
    await query(`COPY (SELECT * FROM read_json('${json}', format='newline_delimited', columns={${columns}})) TO '${parquet}' (FORMAT parquet, COMPRESSION zstd)`);
    await store.putFile(key, parquet, 'application/vnd.apache.parquet');
  });
}

/** All rows of a Parquet object, in the order they were written, each checked against the schema. */
export async function readTable<T extends z.ZodObject>(store: ObjectStore, key: string, schema: T): Promise<z.output<T>[]> {
  return inScratch(async (folder) => {
    const parquet = join(folder, 'rows.parquet');
    await store.getFile(key, parquet);
    const rows = await query(`SELECT * FROM read_parquet('${parquet}')`);
    return rows.map((row, index) => {
      const parsed = schema.safeParse(row);
      if (!parsed.success) throw new PartloopError('data-invalid', `${key}, row ${index}: ${z.prettifyError(parsed.error)}`);
      return parsed.data;
    });
  });
}

async function inScratch<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'partloop-table-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

let instance: Promise<DuckDBInstance> | undefined;

/** One in-memory database a process: one thread, since sums over two differ from run to run; no downloads. */
async function query(sql: string): Promise<Record<string, unknown>[]> {
  instance ??= DuckDBInstance.create(':memory:', { threads: '1', autoinstall_known_extensions: 'false', autoload_known_extensions: 'false' });
  const connection = await (await instance).connect();
  try {
    const reader = await connection.runAndReadAll(sql);
    return reader.getRowObjectsJS().map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)])));
  } finally {
    connection.closeSync();
  }
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  return Array.isArray(value) ? value.map(plain) : value;
}

/** The DuckDB type of a column. */
function columnType(type: z.ZodType): string {
  if (type instanceof z.ZodNullable || type instanceof z.ZodOptional || type instanceof z.ZodDefault) return columnType(type.unwrap() as z.ZodType);
  if (type instanceof z.ZodArray) return `${columnType(type.element as z.ZodType)}[]`;
  if (type instanceof z.ZodNumber) return type.isInt || type.format === 'safeint' ? 'BIGINT' : 'DOUBLE';
  if (type instanceof z.ZodBoolean) return 'BOOLEAN';
  if (type instanceof z.ZodLiteral) return [...type.values].every((value) => typeof value === 'number') ? 'BIGINT' : 'VARCHAR';
  return 'VARCHAR';
}
