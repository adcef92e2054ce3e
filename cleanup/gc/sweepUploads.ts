import { PartloopError } from '../../domain/base/errors.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import type { Sweep, Tally } from './sweep.js';

/** Where partloop writes: a bucket without a prefix may hold uploads of other programs. */
const OWN_FOLDERS = ['loops/', 'pools/', 'scans/', 'evaluations/'] as const;

/**
 * Give up uploads that nobody has ended for long.
 *
 * @returns why they cannot be listed, which needs a right of its own; null where they can
 */
export async function sweepUploads(
  store: ObjectStore,
  { cutoffs, isFinal }: Sweep,
  tally: Tally,
): Promise<string | null> {
  try {
    for (const folder of OWN_FOLDERS)
      for await (const upload of store.openUploads(folder)) {
        if (upload.startedAt >= cutoffs.abandoned) continue;
        const bytes = await store.uploadedBytes(upload);
        if (isFinal) await store.abortUpload(upload);
        tally.add(ownerOf(upload.key), 'uploads', bytes);
      }
    return null;
  } catch (error) {
    if (error instanceof PartloopError) return error.message;
    throw error;
  }
}

/** The loop or scan of a key below `loops/`; the folder of any other. */
const ownerOf = (key: string): string => /^loops\/([^/]+)\//.exec(key)?.[1] ?? key.replace(/\/.*$/s, '');
