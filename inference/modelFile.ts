import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { PartloopError } from '../domain/base/errors.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';

const MAX_MODEL_BYTES = 4 * 2 ** 30;

/** Where the model file with this digest is kept on this disk. */
export const modelCachePath = (home: string, sha256: string): string => join(home, 'cache', 'models', `${sha256}.onnx`);

/** A model file on this disk, fetched once, with its digest checked before anything reads it. */
export const fetchModel = (store: ObjectStore, key: string, sha256: string, home: string): Promise<string> =>
  fetchModelTo(store, key, sha256, modelCachePath(home, sha256));

/** The same at another path. */
export async function fetchModelTo(store: ObjectStore, key: string, sha256: string, path: string): Promise<string> {
  if ((await stat(path).catch(() => null)) !== null && (await digestOfFile(path)) === sha256) return path;
  const facts = await store.head(key);
  if (facts === null) throw new PartloopError('not-found', `there is no model ${key} in the store`);
  if (facts.size > MAX_MODEL_BYTES)
    throw new PartloopError('model-invalid', `${key} has ${facts.size} bytes, more than ${MAX_MODEL_BYTES}`);
  await store.getFile(key, path);
  const digest = await digestOfFile(path);
  if (digest !== sha256) {
    await rm(path, { force: true });
    throw new PartloopError(
      'model-invalid',
      `${key} is not the file that its card names: its digest is ${digest.slice(0, 12)}, not ${sha256.slice(0, 12)}`,
    );
  }
  return path;
}

async function digestOfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
