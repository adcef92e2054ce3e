import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import { parseText } from '../../domain/base/jsonText.js';
import { recorded } from '../../domain/base/recorded.js';
import type { ObjectStore } from '../objects/objectStore.js';

interface ReadOptions {
  /** The hint for an unreadable object. */
  hint?: string;
}

/**
 * Read and check a JSON object of the store; fields that a later version wrote beside the known ones are ignored.
 *
 * @throws PartloopError `not-found`, or `data-invalid` naming the key and every problem
 */
export async function readJson<T>(
  store: ObjectStore,
  key: string,
  schema: z.ZodType<T>,
  options: ReadOptions = {},
): Promise<T> {
  return parseJson((await store.get(key)).body, key, schema, options);
}

/** The same for bytes at hand. */
export function parseJson<T>(body: Uint8Array, key: string, schema: z.ZodType<T>, options: ReadOptions = {}): T {
  const value = parseText(new TextDecoder().decode(body), key, options);
  const parsed = recorded(schema).safeParse(value);
  if (parsed.success) return parsed.data;
  throw new PartloopError(
    'data-invalid',
    `${key} is not what this version of partloop writes: ${z.prettifyError(parsed.error)}`,
    options,
  );
}

/** Write a value as JSON that people can read. */
export async function writeJson(store: ObjectStore, key: string, value: unknown): Promise<void> {
  await store.put(key, JSON.stringify(value, null, 1), 'application/json');
}
