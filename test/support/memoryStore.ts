import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { PartloopError } from '../../domain/base/errors.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';

/** A store in memory with the conditional writes of a real one, for tests of what is built on it. */
export function memoryStore(): ObjectStore & { readonly read: string[]; readonly keys: string[] } {
  const objects = new Map<string, { body: Uint8Array; etag: string }>();
  const read: string[] = [];
  const bytesOf = (body: Uint8Array | string) =>
    typeof body === 'string' ? new TextEncoder().encode(body) : Uint8Array.from(body);
  const write = (key: string, body: Uint8Array | string) => {
    const bytes = bytesOf(body);
    const etag = createHash('md5').update(bytes).digest('hex');
    objects.set(key, { body: bytes, etag });
    return { etag };
  };
  const need = (key: string) => {
    read.push(key);
    const object = objects.get(key);
    if (object === undefined) throw new PartloopError('not-found', `there is no ${key}`);
    return object;
  };
  return {
    uri: 's3://memory',
    read,
    get keys() {
      return [...objects.keys()].sort();
    },
    get: async (key) => need(key),
    tryGet: async (key) => objects.get(key) ?? null,
    getStream: async (key) => Readable.from([need(key).body]),
    head: async (key) => {
      const object = objects.get(key);
      return object === undefined ? null : { key, size: object.body.length, etag: object.etag, versionId: null };
    },
    put: async (key, body) => write(key, body),
    putIfAbsent: async (key, body) => {
      if (objects.has(key)) return 'exists';
      write(key, body);
      return 'created';
    },
    replace: async (key, body, etag) => ((objects.get(key)?.etag ?? null) === etag ? write(key, body) : 'conflict'),
    putFile: async (key, path) => write(key, await readFile(path)),
    getFile: async (key, path) => {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, need(key).body);
    },
    async *list(prefix) {
      for (const [key, { body, etag }] of [...objects].sort(([a], [b]) => (a < b ? -1 : 1))) {
        if (key.startsWith(prefix)) yield { key, size: body.length, etag, versionId: null };
      }
    },
    async *folders(prefix) {
      const names = [...objects.keys()].filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
      yield* new Set(names.flatMap((name) => (name.includes('/') ? [name.slice(0, name.indexOf('/'))] : [])));
    },
    delete: async (keys) => {
      for (const key of keys) objects.delete(key);
    },
    tryDelete: async (keys) => {
      for (const key of keys) objects.delete(key);
      return [];
    },
  };
}
