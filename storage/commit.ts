import { z } from 'zod';
import { isPart, PARTS } from '../domain/steps.js';
import type { CommittedFile } from './keys.js';
import type { ObjectStore } from './objects/objectStore.js';
import {
  digestOfBytes,
  digestOfFile,
  type FileDigest,
  type FileDigests,
  fileDigestsSchema,
  openSealed,
} from './seal.js';

/** A commit's record of the files beside it: those of the attempt that won. Older commits have no digests. */
export const commitFilesSchema = z.object({
  attempt: z.string().optional(),
  files: fileDigestsSchema.optional(),
});
export type CommitFiles = z.infer<typeof commitFilesSchema>;

/** Checkpoints contain their own digests, are temporary, and are no outputs. */
const CHECKPOINT = /^checkpoints\//;
/** Labels are named by their digests; a step may write thousands. */
const LABEL = /^labels\/([0-9a-f]{64})\.png$/;

/** The digest in a file's own name. */
export const digestInName = (file: string): string | null => LABEL.exec(file)?.[1] ?? null;

/** Read a commit of any schema; one with digests must contain its own too. */
export const parseCommit = <T>(body: Uint8Array, key: string, schema: z.ZodType<T>, hint: string): T =>
  openSealed(body, key, schema, { isSealed: (value) => 'files' in value, hint });

/** How to make a damaged or missing file again, for people. */
export function redoHint({ of }: Pick<CommittedFile, 'of'>): string {
  if (of === null) return 'Judge the test images again: `partloop iteration replay LOOP N --from evaluate`.';
  const step = isPart(of.step) ? PARTS[of.step] : of.step;
  const alone = step === 'draw' || step === 'scan' ? ' If it is a scan outside loops, run it again.' : '';
  return `Make it again: \`partloop iteration replay ${of.loop} ${of.iteration} --from ${step}\`.${alone}`;
}

/**
 * A store that notes the digest of every file written under `folder`, as it is written.
 *
 * @returns the store, and the digests so far by name in the folder
 */
export function recording(store: ObjectStore, folder: string): { store: ObjectStore; files: FileDigests } {
  const files: FileDigests = {};
  const note = async (key: string, digest: () => FileDigest | Promise<FileDigest>): Promise<void> => {
    if (!key.startsWith(folder)) return;
    const file = key.slice(folder.length);
    if (!CHECKPOINT.test(file) && digestInName(file) === null) files[file] = await digest();
  };
  const recorder: Pick<ObjectStore, 'put' | 'putFile'> = {
    async put(key, body, contentType) {
      await note(key, () => digestOfBytes(body));
      return store.put(key, body, contentType);
    },
    async putFile(key, path, contentType) {
      await note(key, () => digestOfFile(path));
      return store.putFile(key, path, contentType);
    },
  };
  // Its methods may be on a class, which a spread does not copy.
  const all: ObjectStore = Object.create(store);
  return { store: Object.assign(all, recorder), files };
}
