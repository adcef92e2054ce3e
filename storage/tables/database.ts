import { DuckDBInstance } from '@duckdb/node-api';
import { PartloopError } from '../../domain/base/errors.js';

type Connection = Awaited<ReturnType<DuckDBInstance['connect']>>;

let instance: Promise<DuckDBInstance> | undefined;

/** One in-memory database per process: one thread, since sums over two threads differ from run to run; no downloads. */
export function database(): Promise<DuckDBInstance> {
  instance ??= DuckDBInstance.create(':memory:', {
    threads: '1',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  return instance;
}

/**
 * For a process that lives long and reads in bursts: what a piece of work took goes back to the system after it.
 * Without that the database keeps about a hundred megabytes for its next piece.
 */
export const giveMemoryBack = (): Promise<void> =>
  inDatabase(async (connection) => {
    for (const setting of ['allocator_flush_threshold', 'allocator_bulk_deallocation_flush_threshold'])
      await connection.run(`SET GLOBAL ${setting} = '1MB'`);
  });

/** Work over a connection of its own, closed at the end. */
export async function inDatabase(work: (connection: Connection) => Promise<unknown>): Promise<void> {
  const connection = await (await database()).connect();
  try {
    await work(connection);
  } finally {
    connection.closeSync();
  }
}

/**
 * A database of its own for one piece of work. It holds so many megabytes in memory; the rest goes into files below
 * `folder`. Its owner closes it.
 */
export function scratchDatabase(
  folder: string,
  most: { memoryMegabytes: number; diskMegabytes: number },
): Promise<DuckDBInstance> {
  return DuckDBInstance.create(':memory:', {
    ...{ threads: '1', autoinstall_known_extensions: 'false', autoload_known_extensions: 'false' },
    ...{ memory_limit: `${most.memoryMegabytes}MB`, temp_directory: folder },
    max_temp_directory_size: `${most.diskMegabytes}MB`,
  });
}

/** Text as an SQL literal. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** A path to read as an SQL literal: only this file, even if its name contains pattern characters. */
export const quotedFile = (path: string): string => quoted(path.replace(/[[*?]/g, '[$&]'));

/** A fault in reading a table, naming it; what is said in our own words already stays as it is. */
export function unreadableTable(origin: string, cause: unknown): PartloopError {
  if (cause instanceof PartloopError) return cause;
  const detail = cause instanceof Error ? cause.message : String(cause);
  return new PartloopError('data-invalid', `${origin} is not a readable table: ${detail}`, { cause });
}
