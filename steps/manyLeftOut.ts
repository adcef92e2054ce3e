import { type Allowance, allowedLeftOut, type LeftOut, tooManyLeftOut } from '../domain/images/leftOut.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';

/**
 * Refuse to continue if more images are left out than the configuration allows; then all of them are listed under
 * `key`, in the form that `pool remove --images` reads.
 *
 * @throws PartloopError `data-invalid` with the count, the first images, the place of the list and a hint
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
