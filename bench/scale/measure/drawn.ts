import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { z } from 'zod';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';

const countsSchema = z.object({ drawn: z.coerce.number(), different: z.coerce.number() });
export type Drawn = z.output<typeof countsSchema>;

const SQL = `SELECT count(*) AS drawn, count(DISTINCT "imageId") AS different FROM read_parquet($1)`;

/** Rows of all chunks' tables, and how many images they name. */
export async function countDrawn(store: ObjectStore, chunks: readonly string[]): Promise<Drawn> {
  const folder = await mkdtemp(join(tmpdir(), 'partloop-drawn-'));
  try {
    for (const [index, key] of chunks.entries()) await store.getFile(key, join(folder, `${index}.parquet`));
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    const [row] = (await connection.runAndReadAll(SQL, [join(folder, '*.parquet')])).getRowObjectsJS();
    connection.closeSync();
    return countsSchema.parse(row);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
