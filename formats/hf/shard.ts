import { mkdir, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { DuckDBAppender } from '@duckdb/node-api';
import { database, quoted } from '../../storage/tables/database.js';
import type { DatasetImage } from '../dataset.js';
import { type Column, featuresMetadata } from './columns.js';

type Connection = Awaited<ReturnType<Awaited<ReturnType<typeof database>>['connect']>>;

let tables = 0;

/** The images of one Parquet file, in memory until it is written. */
export class Shard {
  images = 0;
  /** Bytes of pictures and labels. */
  bytes = 0;

  private constructor(
    private readonly columns: readonly Column[],
    private readonly connection: Connection,
    private readonly appender: DuckDBAppender,
    private readonly table: string,
  ) {}

  static async open(columns: readonly Column[]): Promise<Shard> {
    const connection = await (await database()).connect();
    const table = `shard_${++tables}`;
    const declared = columns.map(({ name, sql }) => `"${name}" ${sql}`);
    await connection.run(`CREATE TABLE ${table} (${declared.join(', ')})`);
    return new Shard(columns, connection, await connection.createAppender(table), table);
  }

  add(image: DatasetImage): void {
    for (const { type, cellOf } of this.columns) {
      const value = cellOf(image);
      if (value === null) this.appender.appendNull();
      else this.appender.appendValue(value, type);
    }
    this.appender.endRow();
    this.images++;
    this.bytes += (image.picture?.length ?? 0) + image.label.length;
  }

  /** Write the file, which is there as a whole or not at all, and forget the images. */
  async write(path: string): Promise<void> {
    this.appender.flushSync();
    await mkdir(dirname(path), { recursive: true });
    // Pictures are compressed already.
    const options = `FORMAT parquet, COMPRESSION snappy, KV_METADATA {huggingface: ${quoted(featuresMetadata(this.columns))}}`;
    await this.connection.run(`COPY ${this.table} TO ${quoted(`${path}.partial`)} (${options})`);
    await rename(`${path}.partial`, path);
    await this.discard();
  }

  async discard(): Promise<void> {
    this.appender.closeSync();
    await this.connection.run(`DROP TABLE ${this.table}`);
    this.connection.closeSync();
  }
}
