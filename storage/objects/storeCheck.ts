import { randomUUID } from 'node:crypto';
import { PartloopError } from '../../domain/base/errors.js';
import type { ObjectStore } from './objectStore.js';
import { openStore, type StoreOptions } from './s3.js';

/** A store that does not answer within this is unreachable: a check waits less than work does. */
const QUICK = { attempts: 2, timeoutMs: 15_000 };

/**
 * Write, read and remove one object, and make sure that the store refuses a write whose condition fails: commits, locks
 * and the model registry rest on If-None-Match and If-Match, which not every S3 server supports. All roles of workers
 * need this: each commits, replaces and removes.
 *
 * @throws PartloopError `setup-incomplete` if keys, rights, bucket or server are not sufficient, `store-unavailable` if
 * none answers
 */
export async function checkStoreWrites(options: StoreOptions): Promise<void> {
  const store = openStore({ ...options, ...QUICK });
  const key = `doctor/${randomUUID()}`;
  const { uri } = options;
  if ((await store.putIfAbsent(key, 'one')) !== 'created') throw unfit(uri, 'it refuses a write of a new object');
  try {
    if ((await store.putIfAbsent(key, 'two')) !== 'exists') throw unfit(uri, 'it ignores If-None-Match');
    if ((await store.replace(key, 'two', '"0"')) !== 'conflict') throw unfit(uri, 'it ignores If-Match');
    if (new TextDecoder().decode((await store.get(key)).body) !== 'one')
      throw unfit(uri, 'an object does not read back as it was written');
  } catch (error) {
    await store.tryDelete([key]).catch(() => undefined);
    throw error;
  }
  await mustRemove(store, key);
}

async function mustRemove(store: ObjectStore, key: string): Promise<void> {
  const [failed] = await store.tryDelete([key]);
  if (failed === undefined) return;
  throw new PartloopError('setup-incomplete', `${store.uri} does not allow objects to be removed: ${failed.reason}`, {
    hint: 'The credentials must be allowed to read, write, list and delete below that prefix.',
  });
}

function unfit(uri: string, why: string): PartloopError {
  return new PartloopError('setup-incomplete', `${uri} is not fit for partloop: ${why}`, {
    hint: 'Use an S3 server with conditional writes (AWS S3, MinIO, SeaweedFS, Ceph since Tentacle).',
  });
}
