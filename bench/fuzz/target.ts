import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Choices } from './source.js';

/** A promise of ours that a case broke, beside a crash: what it should have been, and what it was. */
export class BrokenPromise extends Error {}

/** Where a case has its files; what is written is kept, for the report of a failure. */
export class CaseFolder {
  readonly files = new Map<string, Uint8Array>();

  constructor(readonly path: string) {}

  /** Write a file below the folder; returns its path. */
  async write(name: string, body: string | Uint8Array): Promise<string> {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    this.files.set(name, bytes);
    const path = join(this.path, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
    return path;
  }

  async writeAll(files: ReadonlyMap<string, string | Uint8Array>): Promise<void> {
    for (const [name, body] of files) await this.write(name, body);
  }
}

/** One reader, importer or schema under test. */
export interface Target {
  name: string;
  /** How many of a thousand cases it gets: few where one takes long. */
  share: number;
  /**
   * One case. What it gives back says what became of it, for the table; a PartloopError is an outcome too. Anything
   * else that is thrown is a failure.
   *
   * @throws BrokenPromise if a label changed that should not, or a good item was lost
   */
  run(choices: Choices, folder: CaseFolder): Promise<string>;
}

/** The value, computed when it is first asked for. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let value: Promise<T> | undefined;
  return () => {
    value ??= make();
    return value;
  };
}
