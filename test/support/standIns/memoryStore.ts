import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { PartloopError } from '../../../domain/base/errors.js';
import type { ObjectStore, OpenUpload } from '../../../storage/objects/objectStore.js';

const URI = 's3://memory/store';

/** Methods of a store in memory that other stores lack. */
export interface MemoryStore extends ObjectStore {
  /** The keys that were read by `get`, `getStream` and `getFile`, in order. Set its length to 0 to start anew. */
  readonly read: string[];
  /** The keys that are there, sorted. */
  readonly keys: string[];
  /** Called before each write, also before one that loses; may wait, or throw to play a fault. */
  beforeWrite(key: string): void | Promise<void>;
  /** The clock of the server; the system's, unless a test sets another. */
  now(): Date;
  /** Begin an upload in parts that nobody ends; its first part has so many bytes. */
  beginUpload(key: string, bytes: number): Promise<void>;
}

/**
 * A store in memory that behaves as S3 does (`test/storage/objects/storeContract.ts` holds it), for tests of what is
 * built on a store. An object elsewhere is put and read by its URI.
 */
export function memoryStore(): MemoryStore {
  const objects = new Map<string, { body: Buffer; etag: string; modifiedAt: Date }>();
  const uploads = new Map<string, OpenUpload & { bytes: number }>();
  const read: string[] = [];
  const isElsewhere = (key: string) => key.startsWith('s3://');
  const placeOf = (key: string) => (key.startsWith(`${URI}/`) ? key.slice(URI.length + 1) : key);
  const find = (key: string) => objects.get(placeOf(key));

  const need = (key: string) => {
    read.push(key);
    const object = find(key);
    if (object === undefined) throw new PartloopError('not-found', `there is no object ${key} in the store`);
    return object;
  };

  const needVersion = (key: string, ifMatch?: string) => {
    const object = need(key);
    if (ifMatch !== undefined && object.etag !== ifMatch)
      throw new PartloopError('data-changed', `${key} is not the requested version: it has changed`);
    return object;
  };

  /** S3 names a version by the bytes it holds: the same bytes are the same version. */
  const write = (key: string, body: Uint8Array | string) => {
    const bytes = Buffer.from(body);
    const etag = `"${createHash('md5').update(bytes).digest('hex')}"`;
    objects.set(placeOf(key), { body: bytes, etag, modifiedAt: store.now() });
    return { etag };
  };

  /** Who reads owns the bytes: changing them does not change the object. */
  const copyOf = ({ body, etag }: { body: Buffer; etag: string }) => ({ body: Buffer.from(body), etag });

  const factsOf = (key: string, { body, etag, modifiedAt }: { body: Buffer; etag: string; modifiedAt: Date }) => ({
    ...{ key, size: body.length, etag, versionId: null, modifiedAt },
  });

  const sorted = () =>
    [...objects]
      .filter(([key]) => !isElsewhere(key))
      .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

  const remove = (keys: readonly string[]) => {
    for (const key of keys) objects.delete(key);
  };

  const store: MemoryStore = {
    uri: URI,
    read,
    get keys() {
      return sorted().map(([key]) => key);
    },
    beforeWrite: () => undefined,
    get: async (key, ifMatch) => copyOf(needVersion(key, ifMatch)),
    async tryGet(key) {
      const object = find(key);
      return object === undefined ? null : copyOf(object);
    },
    async getStream(key) {
      const { body } = copyOf(need(key));
      return Readable.from(body.length === 0 ? [] : [body]);
    },
    async head(key) {
      const object = find(key);
      return object === undefined ? null : factsOf(key, object);
    },
    async put(key, body) {
      await store.beforeWrite(key);
      return write(key, body);
    },
    async putIfAbsent(key, body) {
      await store.beforeWrite(key);
      if (find(key) !== undefined) return 'exists';
      write(key, body);
      return 'created';
    },
    async replace(key, body, etag) {
      await store.beforeWrite(key);
      return (find(key)?.etag ?? null) === etag ? write(key, body) : 'conflict';
    },
    async putFile(key, path) {
      const bytes = await readFile(path);
      await store.beforeWrite(key);
      return write(key, bytes);
    },
    async getFile(key, path, ifMatch) {
      const { body } = needVersion(key, ifMatch);
      await mkdir(dirname(path), { recursive: true });
      const partial = `${path}.${randomUUID()}.partial`;
      await writeFile(partial, body);
      await rename(partial, path);
    },
    async *list(prefix) {
      const found = isElsewhere(prefix)
        ? [...objects].map(([key, object]) => [isElsewhere(key) ? key : `${URI}/${key}`, object] as const)
        : sorted();
      for (const [key, object] of found) if (key.startsWith(prefix)) yield factsOf(key, object);
    },
    async *folders(prefix) {
      const names = store.keys.filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
      yield* new Set(names.flatMap((name) => (name.includes('/') ? [name.slice(0, name.indexOf('/'))] : [])));
    },
    async delete(keys) {
      remove(keys);
    },
    async tryDelete(keys) {
      remove(keys);
      return [];
    },
    now: () => new Date(),
    async beginUpload(key, bytes) {
      const id = randomUUID();
      uploads.set(id, { key, id, startedAt: store.now(), bytes });
    },
    async *openUploads(prefix) {
      for (const { bytes: _, ...upload } of uploads.values()) if (upload.key.startsWith(prefix)) yield upload;
    },
    async uploadedBytes({ id }) {
      return uploads.get(id)?.bytes ?? 0;
    },
    async abortUpload({ id }) {
      uploads.delete(id);
    },
  };
  return store;
}
