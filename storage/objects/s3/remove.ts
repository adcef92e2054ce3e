import { DeleteObjectsCommand } from '@aws-sdk/client-s3';
import { PartloopError } from '../../../domain/base/errors.js';
import type { FailedDelete, ObjectStore } from '../objectStore.js';
import type { Bucket } from './bucket.js';
import { translate } from './errors.js';

/** Most keys in one request of S3. */
const DELETE_BATCH = 1_000;

type Removing = Pick<ObjectStore, 'delete' | 'tryDelete'>;

/** The methods of a store that delete objects. */
export function removing({ client, name, prefix }: Bucket): Removing {
  const tryDelete: ObjectStore['tryDelete'] = async (keys) => {
    const failures: FailedDelete[] = [];
    for (let from = 0; from < keys.length; from += DELETE_BATCH) {
      const batch = keys.slice(from, from + DELETE_BATCH);
      const Delete = { Objects: batch.map((key) => ({ Key: `${prefix}${key}` })), Quiet: true };
      const request = new DeleteObjectsCommand({ Bucket: name, Delete });
      const { Errors } = await translate(batch[0] ?? '', () => client.send(request));
      for (const { Key = '', Code, Message } of Errors ?? []) {
        if (Code === 'NoSuchKey') continue;
        failures.push({ key: Key.slice(prefix.length), reason: [Code, Message].filter(Boolean).join(' ') });
      }
    }
    return failures;
  };

  return {
    tryDelete,
    async delete(keys) {
      const [failed] = await tryDelete(keys);
      if (failed !== undefined)
        throw new PartloopError('store-unavailable', `${failed.key} was not removed: ${failed.reason}`);
    },
  };
}
