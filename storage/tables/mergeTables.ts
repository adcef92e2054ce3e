import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LIST, listValue, VARCHAR } from '@duckdb/node-api';
import type { z } from 'zod';
import type { ObjectStore } from '../objects/objectStore.js';
import { columnType } from './columns.js';
import { inDatabase, quoted, quotedFile, unreadableTable } from './database.js';
import { writeTableFile } from './table.js';

/** Rows that are written together: few, since the writer holds them unpacked. */
const ROW_GROUP = 16_384;
const OPTIONS = `FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${ROW_GROUP}`;

/** Rows for a merged table: some of those of a Parquet object, by the column of the order, or rows at hand. */
export type TablePart<Row> =
  | {
      key: string;
      /** The rows that are taken over, or those that are not. */
      rows: { only: ReadonlySet<string> } | { without: ReadonlySet<string> };
      /** Whole numbers for columns that the object lacks. */
      values?: Readonly<Record<string, number>>;
    }
  | { rows: Iterable<Row> };

/**
 * Write rows of several tables as one Parquet object, in order of a text column. The rows of objects do not pass
 * through JavaScript: large tables would take gigabytes as objects. Columns are those of the schema; where an object
 * lacks one that is null by default, it is null.
 *
 * @throws PartloopError `data-invalid` naming the objects if one of them is no such table
 */
export async function mergeTables<T extends z.ZodObject>(
  store: ObjectStore,
  key: string,
  schema: T,
  order: string,
  parts: readonly TablePart<z.output<T>>[],
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'partloop-table-'));
  try {
    const ids: string[][] = [];
    const selections: string[] = [];
    for (const [at, part] of parts.entries()) {
      const path = join(folder, `part-${at}.parquet`);
      if ('key' in part) await store.getFile(part.key, path);
      else await writeTableFile(path, 'parquet', part.rows, schema);
      const where = 'key' in part ? `"${order}" ${filterBy(part.rows, ids)}` : 'true';
      selections.push(`${selectionOf(path, schema, ('key' in part ? part.values : undefined) ?? {})} WHERE ${where}`);
    }
    const merged = join(folder, 'merged.parquet');
    const query = `SELECT * FROM (${selections.join(' UNION ALL ')}) ORDER BY "${order}"`;
    const lists = [ids.map((some) => listValue(some)), ids.map(() => LIST(VARCHAR))] as const;
    await inDatabase((connection) =>
      connection.run(`COPY (${query}) TO ${quoted(merged)} (${OPTIONS})`, ...lists),
    ).catch((cause: unknown) => {
      throw unreadableTable(parts.flatMap((part) => ('key' in part ? part.key : [])).join(' or '), cause);
    });
    await store.putFile(key, merged, 'application/vnd.apache.parquet');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The condition for these rows; their ids become a parameter of the query. */
function filterBy(rows: { only: ReadonlySet<string> } | { without: ReadonlySet<string> }, ids: string[][]): string {
  const number = ids.push([...('only' in rows ? rows.only : rows.without)]);
  return `${'only' in rows ? 'IN' : 'NOT IN'} (SELECT unnest($${number}))`;
}

function selectionOf(path: string, schema: z.ZodObject, values: Readonly<Record<string, number>>): string {
  const columns = Object.entries(schema.shape).map(([name, type]) => ({ name, type, sql: columnType(type, name) }));
  const selected = columns.map(({ name, sql }) => `CAST(${values[name] ?? `"${name}"`} AS ${sql}) AS "${name}"`);
  const missing = columns
    .filter(({ type }) => type.safeParse(undefined).data === null)
    .map(({ name, sql }) => `CAST(NULL AS ${sql}) AS "${name}"`);
  const file = `SELECT * FROM read_parquet(${quotedFile(path)})`;
  const whole = missing.length === 0 ? file : `${file} UNION ALL BY NAME SELECT ${missing.join(', ')} WHERE false`;
  return `SELECT ${selected.join(', ')} FROM (${whole})`;
}
