import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { PartloopError } from '../../domain/base/errors.js';
import type { FailedDelete, ObjectFacts, ObjectStore } from '../../storage/objects/objectStore.js';

/** An object store in memory with real conditional writes: enough for the trainer's lease and its outputs. */
export class MemoryStore implements ObjectStore {
  readonly uri = 's3://memory/store';
  readonly objects = new Map<string, { body: Uint8Array; etag: string }>();
  /** Called before a write; may throw to play a fault. */
  beforeWrite: (key: string) => void | Promise<void> = () => undefined;

  async get(key: string): Promise<{ body: Uint8Array; etag: string }> {
    const found = this.objects.get(key);
    if (found === undefined) throw new PartloopError('not-found', `${key} does not exist`);
    return found;
  }

  async tryGet(key: string): Promise<{ body: Uint8Array; etag: string } | null> {
    return this.objects.get(key) ?? null;
  }

  async getStream(key: string): Promise<Readable> {
    return Readable.from([(await this.get(key)).body]);
  }

  async head(key: string): Promise<ObjectFacts | null> {
    const found = this.objects.get(key);
    return found === undefined ? null : { key, size: found.body.length, etag: found.etag, versionId: null };
  }

  async put(key: string, body: Uint8Array | string): Promise<{ etag: string }> {
    await this.beforeWrite(key);
    const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : new Uint8Array(body);
    const etag = `${createHash('md5').update(bytes).digest('hex')}-${randomUUID()}`;
    this.objects.set(key, { body: bytes, etag });
    return { etag };
  }

  async putIfAbsent(key: string, body: Uint8Array | string): Promise<'created' | 'exists'> {
    if (this.objects.has(key)) return 'exists';
    await this.put(key, body);
    return 'created';
  }

  async replace(key: string, body: Uint8Array | string, etag: string | null): Promise<{ etag: string } | 'conflict'> {
    await this.beforeWrite(key);
    if ((this.objects.get(key)?.etag ?? null) !== etag) return 'conflict';
    return this.put(key, body);
  }

  async putFile(key: string, path: string): Promise<{ etag: string }> {
    return this.put(key, await readFile(path));
  }

  async getFile(key: string, path: string): Promise<void> {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(`${path}.part`, (await this.get(key)).body);
    await rename(`${path}.part`, path);
  }

  async *folders(prefix: string): AsyncIterable<string> {
    const names = [...this.objects.keys()].filter((key) => key.startsWith(prefix));
    const inside = names.map((key) => key.slice(prefix.length)).filter((name) => name.includes('/'));
    yield* new Set(inside.map((name) => name.slice(0, name.indexOf('/'))));
  }

  async *list(prefix: string): AsyncIterable<ObjectFacts> {
    for (const key of [...this.objects.keys()].filter((entry) => entry.startsWith(prefix)).sort()) {
      const facts = await this.head(key);
      if (facts !== null) yield facts;
    }
  }

  async delete(targets: string[]): Promise<void> {
    for (const key of targets) this.objects.delete(key);
  }

  async tryDelete(targets: readonly string[]): Promise<FailedDelete[]> {
    for (const key of targets) this.objects.delete(key);
    return [];
  }
}
