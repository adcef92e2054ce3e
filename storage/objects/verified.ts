import { createHash, randomUUID } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { PassThrough, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { PartloopError } from '../../domain/base/errors.js';
import { type CommitFiles, commitFilesSchema, digestInName, parseCommit, redoHint } from '../commit.js';
import { type CommittedFile, committedFile } from '../keys.js';
import { digestOfBytes, digestOfFile, type FileDigest } from '../seal.js';
import type { ObjectStore } from './objectStore.js';

/** Number of commits kept in memory: they never change after they were written. */
const KEPT_COMMITS = 64;
/** A body that the network spoiled is right the second time. */
const READINGS = 2;

/**
 * A store that never returns changed bytes of a file of a step or of an evaluation: every read is checked against the
 * digest in the commit of its folder. Files that no commit lists (of running attempts, of older commits without
 * digests) are returned unchecked.
 */
export function verified(store: ObjectStore): ObjectStore {
  const written = new WrittenDigests(store);
  const get: ObjectStore['get'] = (key, ifMatch) =>
    readTwice(
      written,
      key,
      () => store.get(key, ifMatch),
      ({ body }) => digestOfBytes(body),
    );

  return {
    ...store,
    get,
    async tryGet(key) {
      try {
        return await get(key);
      } catch (error) {
        if (error instanceof PartloopError && error.code === 'not-found') return null;
        throw error;
      }
    },
    async getFile(key, path, ifMatch) {
      if (committedFile(key) === null) return store.getFile(key, path, ifMatch);
      const unchecked = `${path}.${randomUUID()}.unchecked`;
      try {
        await readTwice(
          written,
          key,
          () => store.getFile(key, unchecked, ifMatch),
          () => digestOfFile(unchecked),
        );
        await rename(unchecked, path);
      } finally {
        await rm(unchecked, { force: true });
      }
    },
    async getStream(key) {
      const place = committedFile(key);
      const wanted = await written.of(place);
      const stream = await named(place, () => store.getStream(key));
      if (place === null || wanted === null) return stream;
      const checked = new PassThrough();
      // The reader sees the error on its own stream.
      pipeline(stream, checking(key, wanted, place), checked).catch(() => undefined);
      return checked;
    },
  };
}

interface Wanted {
  sha256: string;
  /** null if it is unknown. */
  size: number | null;
}

/** Expected digests of files, by their names or by the commits of their folders. */
class WrittenDigests {
  private readonly commits = new Map<string, CommitFiles>();

  constructor(private readonly store: ObjectStore) {}

  /** null if no record tells what was written. */
  async of(place: CommittedFile | null): Promise<Wanted | null> {
    if (place === null) return null;
    const inName = digestInName(place.file);
    if (inName !== null) return { sha256: inName, size: null };
    const commit = await this.commitOf(place);
    if (commit?.files === undefined || (place.attempt !== null && commit.attempt !== place.attempt)) return null;
    return Object.hasOwn(commit.files, place.file) ? (commit.files[place.file] ?? null) : null;
  }

  private async commitOf({ commit: key, ...file }: CommittedFile): Promise<CommitFiles | null> {
    const known = this.commits.get(key);
    if (known !== undefined) return known;
    const object = await this.store.tryGet(key);
    if (object === null) return null;
    const commit = parseCommit(object.body, key, commitFilesSchema, redoHint(file));
    const [oldest] = this.commits.keys();
    if (this.commits.size >= KEPT_COMMITS && oldest !== undefined) this.commits.delete(oldest);
    this.commits.set(key, commit);
    return commit;
  }
}

/** Read until the bytes are right, twice at most. */
async function readTwice<T>(
  written: WrittenDigests,
  key: string,
  read: () => Promise<T>,
  digest: (read: T) => FileDigest | Promise<FileDigest>,
): Promise<T> {
  const place = committedFile(key);
  const wanted = await written.of(place);
  for (let attempt = 1; ; attempt++) {
    const object = await named(place, read);
    if (place === null || wanted === null) return object;
    const got = await digest(object);
    if (got.sha256 === wanted.sha256) return object;
    if (attempt === READINGS) throw damaged(key, wanted, got, place);
  }
}

/** Passes bytes on, and ends with an error if they are not the written ones. */
function checking(key: string, wanted: Wanted, place: CommittedFile): Transform {
  const hash = createHash('sha256');
  let size = 0;
  return new Transform({
    transform(chunk: Buffer, _, done) {
      hash.update(chunk);
      size += chunk.byteLength;
      done(null, chunk);
    },
    flush(done) {
      const got = { sha256: hash.digest('hex'), size };
      done(got.sha256 === wanted.sha256 ? null : damaged(key, wanted, got, place));
    },
  });
}

function damaged(key: string, wanted: Wanted, got: FileDigest, place: CommittedFile): PartloopError {
  const bytes = wanted.size === null ? '' : `${wanted.size} bytes, `;
  return new PartloopError(
    'data-invalid',
    `${key} is damaged: it was written with ${bytes}sha256 ${wanted.sha256}, and read with ${got.size} bytes, sha256 ${got.sha256}`,
    { hint: redoHint(place) },
  );
}

/** A missing file of a step is made again like a damaged one. */
async function named<T>(place: CommittedFile | null, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (place === null || !(error instanceof PartloopError) || error.code !== 'not-found') throw error;
    throw new PartloopError('not-found', error.message, { hint: redoHint(place), cause: error });
  }
}
