import { type Allowance, allowedLeftOut, type LeftOut, tooManyLeftOut } from '../domain/images/leftOut.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';

/**
 * Refuse to go on without more images than the configuration allows; then all of them are listed under `key`, as
 * `pool remove --images` reads it.
 *
 * @throws PartloopError `data-invalid` with the count, the first images, where the list is and what to do
 */
export async function refuseManyLeftOut(
  store: ObjectStore,
  key: string,
  leftOut: readonly LeftOut[],
  allowance: Allowance,
): Promise<void> {
  if (leftOut.length <= allowedLeftOut(allowance.images, allowance.share)) return;
  await store.put(key, JSON.stringify(leftOut, null, 1), 'application/json');
  throw tooManyLeftOut(leftOut, allowance, `${store.uri.replace(/\/$/, '')}/${key}`);
}
