import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { PartloopError } from '../../domain/base/errors.js';

/** Bytes between two ranges that are read along. */
const NEAR = 4_096;

/** Some bytes of a file. */
export interface ByteRange {
  begin: number;
  size: number;
}

/** A file on this disk as it was when it was first seen: one that changed since is not read. */
export class SizedFile {
  private constructor(
    readonly path: string,
    /** What messages call it. */
    readonly name: string,
    readonly size: number,
    private readonly changedAt: number,
  ) {}

  /** @throws PartloopError `input-invalid` for a file that is missing or far too large */
  static async of(path: string, name: string, maxBytes: number): Promise<SizedFile> {
    const facts = await stat(path).catch((cause: unknown) => {
      throw new PartloopError('input-invalid', `${name} cannot be read`, { cause });
    });
    if (!facts.isFile()) throw new PartloopError('input-invalid', `${name} is not a file`);
    if (facts.size > maxBytes)
      throw new PartloopError('input-invalid', `${name} has ${facts.size} bytes, more than ${maxBytes}`);
    return new SizedFile(path, name, facts.size, facts.mtimeMs);
  }

  /** Its bytes from front to back. */
  async *chunks(bytes: number): AsyncGenerator<Buffer> {
    try {
      yield* createReadStream(this.path, { highWaterMark: bytes });
    } catch (cause) {
      // Whoever reads may throw here too.
      if (!(cause instanceof Error && 'syscall' in cause)) throw cause;
      throw new PartloopError('input-invalid', `${this.name} cannot be read`, { cause });
    }
  }

  /**
   * The bytes of each range. Ranges that lie close together, one behind the other, are read at once.
   *
   * @throws PartloopError `interrupted` for a file that was written to meanwhile
   */
  async read(ranges: readonly ByteRange[]): Promise<Buffer[]> {
    const handle = await open(this.path).catch((cause: unknown) => {
      throw this.changed(cause);
    });
    try {
      const { size, mtimeMs } = await handle.stat();
      if (size !== this.size || mtimeMs !== this.changedAt) throw this.changed();
      const found: Buffer[] = [];
      for (const { begin, end, ranges: inside } of runsOf(ranges)) {
        const bytes = Buffer.alloc(end - begin);
        const { bytesRead } = await handle.read(bytes, 0, bytes.length, begin);
        if (bytesRead < bytes.length) throw this.changed();
        for (const range of inside) found.push(bytes.subarray(range.begin - begin, range.begin - begin + range.size));
      }
      return found;
    } finally {
      await handle.close();
    }
  }

  private changed(cause?: unknown): PartloopError {
    return new PartloopError('interrupted', `${this.name} changed while it was read`, { cause });
  }
}

interface Run {
  begin: number;
  end: number;
  ranges: ByteRange[];
}

function runsOf(ranges: readonly ByteRange[]): Run[] {
  const runs: Run[] = [];
  for (const range of ranges) {
    const end = range.begin + range.size;
    const open = runs.at(-1);
    if (open !== undefined && range.begin >= open.end && range.begin - open.end <= NEAR) {
      open.end = end;
      open.ranges.push(range);
    } else runs.push({ begin: range.begin, end, ranges: [range] });
  }
  return runs;
}
